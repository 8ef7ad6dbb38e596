/** A period's value of a metric; undefined where it has none. */
export type Datapoint = number | undefined;

type Values = Readonly<Record<string, Datapoint>>;

/** Binary operators, the weakest first. */
const OPERATORS = [['OR'], ['AND'], ['>=', '<=', '==', '!=', '>', '<'], ['+', '-'], ['*', '/']] as const;

const COMPUTE: Record<string, (a: number, b: number) => Datapoint> = {
  OR: (a, b) => Number(a !== 0 || b !== 0),
  AND: (a, b) => Number(a !== 0 && b !== 0),
  '>=': (a, b) => Number(a >= b),
  '<=': (a, b) => Number(a <= b),
  '==': (a, b) => Number(a === b),
  '!=': (a, b) => Number(a !== b),
  '>': (a, b) => Number(a > b),
  '<': (a, b) => Number(a < b),
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => (b === 0 ? undefined : a / b),
};

/**
 * What CloudWatch makes of an expression in one period: the part of its metric math that the alarms use. Whatever
 * is computed from a missing value is missing.
 *
 * @throws Error at anything else
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
 */
export function evaluate(expression: string, values: Values): Datapoint {
  const tokens = expression.match(/\d+(?:\.\d+)?|\w+|[><=!]=|[()+\-*/<>,]/g) ?? [];
  let at = 0;
  const take = (expected?: string) => {
    const token = tokens[at] ?? '';
    if (expected !== undefined && token !== expected) {
      throw new Error(`expected "${expected}" at ${at} of ${expression}, got "${token}"`);
    }
    at += 1;
    return token;
  };

  const binary = (level: number): Datapoint => {
    const operators: readonly string[] | undefined = OPERATORS[level];
    if (operators === undefined) return primary();
    let left = binary(level + 1);
    while (operators.includes(tokens[at] ?? '')) {
      const operator = take();
      const right = binary(level + 1);
      left = left === undefined || right === undefined ? undefined : COMPUTE[operator]?.(left, right);
    }
    return left;
  };
  const inParentheses = (): Datapoint[] => {
    const found = [];
    take('(');
    for (;;) {
      found.push(binary(0));
      if (tokens[at] !== ',') break;
      take(',');
    }
    take(')');
    return found;
  };
  const primary = (): Datapoint => {
    if (tokens[at] === '(') return inParentheses()[0];
    const token = take();
    if (/^\d/.test(token)) return Number(token);
    if (token === 'IF') {
      const [condition, yes, no] = inParentheses();
      return condition === undefined ? undefined : condition === 0 ? no : yes;
    }
    if (token === 'FILL') {
      const [value, filling] = inParentheses();
      return value ?? filling;
    }
    if (!Object.hasOwn(values, token)) throw new Error(`nothing is called "${token}" in ${expression}`);
    return values[token];
  };

  const result = binary(0);
  if (at !== tokens.length) throw new Error(`"${tokens[at]}" was not expected in ${expression}`);
  return result;
}
