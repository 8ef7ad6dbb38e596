/** Further keys, of the CDK's own, that have neither a colon nor a slash. */
const KEYS_OF_THE_CDK = ['acknowledged-issue-numbers', 'cli-telemetry'];

/** A misspelling differs in at most so many letters. */
const MAX_EDITS = 2;

/**
 * Finds keys that nobody reads but that look like one of ours; otherwise a typo would silently leave out what
 * it should have set. Other keys are left alone: they may come from a developer's own `~/.cdk.json`.
 *
 * @throws Error naming the key and what it may have been meant to be
 */
export function refuseMisspelledKeys(
  context: Readonly<Record<string, unknown>>,
  known: readonly string[],
): void {
  for (const key of Object.keys(context)) {
    if (known.includes(key) || /[:/]/.test(key) || KEYS_OF_THE_CDK.includes(key)) continue;
    const meant = known.find((candidate) => isMisspelled(key, candidate));
    if (meant !== undefined) throw new Error(`unknown context key "${key}": did you mean "${meant}"?`);
    if (/Agent(Arn|Qualifier|Transport)$/i.test(key)) {
      const own = known.filter((candidate) => candidate.endsWith('AgentArn')).join(', ');
      throw new Error(
        `unknown context key "${key}": expected one of ${own}; any other agent comes in the list "agents"`,
      );
    }
  }
}

/** Another case, other separators, or one or two letters wrong. Short keys would match too much. */
function isMisspelled(key: string, candidate: string): boolean {
  const plain = (text: string) => text.toLowerCase().replace(/[^a-z]/g, '');
  const [a, b] = [plain(key), plain(candidate)];
  return a === b || (b.length > 2 * MAX_EDITS && edits(a, b) <= (b.length < 8 ? 1 : MAX_EDITS));
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
