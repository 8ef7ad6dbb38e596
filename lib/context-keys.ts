/** The CDK's own keys that contain neither a colon nor a slash. */
const KEYS_OF_THE_CDK = ['acknowledged-issue-numbers', 'cli-telemetry'];

/** The most letters in which a misspelling differs from the key. */
const MAX_EDITS = 2;

/**
 * Finds keys that are not read: without this check a misspelled key would silently have no effect. A plain misspelling
 * is refused. Any other unknown key may come from a developer's own `~/.cdk.json`, and is only reported.
 *
 * @returns a line for each key that is ignored
 * @throws Error naming the misspelled key and the key that was probably meant
 */
export function checkKeys(context: Readonly<Record<string, unknown>>, known: readonly string[]): string[] {
  const isAccepted = (key: string) =>
    known.includes(key) || /[:/]/.test(key) || KEYS_OF_THE_CDK.includes(key);
  return Object.keys(context)
    .filter((key) => !isAccepted(key))
    .map((key) => {
      const meant = known.find((candidate) => isMisspelled(key, candidate));
      if (meant !== undefined) throw new Error(`unknown context key "${key}": did you mean "${meant}"?`);
      if (/Agent(Arn|Qualifier|Transport)$/i.test(key)) {
        const own = known.filter((candidate) => candidate.endsWith('AgentArn')).join(', ');
        throw new Error(
          `unknown context key "${key}": expected one of ${own}; for other agents use the list "agents" alone`,
        );
      }
      const near = nearest(key, known);
      return `unknown context key "${key}" is ignored${near === undefined ? '' : `: did you mean "${near}"?`}`;
    });
}

/** Returns the candidate that is nearest to a name, if it is near enough to be suggested. */
export function nearest(name: string, candidates: readonly string[]): string | undefined {
  const key = plain(name);
  const [best] = candidates
    .map((candidate) => ({ candidate, distance: distance(key, plain(candidate)) }))
    .toSorted((a, b) => a.distance - b.distance);
  return best !== undefined && best.distance <= key.length / 2 ? best.candidate : undefined;
}

/**
 * Measures how far a key is from a candidate. Missing letters (`mwcArn` for `mwcAgentArn`) count less than wrong ones.
 */
function distance(key: string, candidate: string): number {
  let at = 0;
  for (const letter of candidate) if (letter === key[at]) at += 1;
  const isPartOf = key.length > 3 && at === key.length;
  return isPartOf ? (candidate.length - key.length) / 10 : edits(key, candidate);
}

/**
 * Whether a key differs from a candidate only in case, in separators, or in one or two letters. A short candidate
 * allows no wrong letter, because it would match too much.
 */
function isMisspelled(key: string, candidate: string): boolean {
  const [a, b] = [plain(key), plain(candidate)];
  return a === b || (b.length > 2 * MAX_EDITS && edits(a, b) <= (b.length < 8 ? 1 : MAX_EDITS));
}

function plain(text: string): string {
  return text.toLowerCase().replace(/[^a-z]/g, '');
}

/** Levenshtein distance. */
function edits(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const substituted = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(substituted, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    previous = row;
  }
  return previous[b.length] ?? 0;
}
