import { parseArgs } from 'node:util';
import { PROMPT, type SmokeOptions, smoke } from '../../lambda/smoke/checks.ts';
import { sendUnsigned } from '../../lambda/smoke/signed-fetch.ts';
import { signedByProfile } from './credentials.ts';

const USAGE = `npm run smoke -- --url <url> [options]

Checks a deployed Function URL, or the local one, as its callers see it. Exit code 0: all is well.

  --url <url>         of the deployment (output FunctionUrl, also behind CloudFront, with --profile
                      or --iam; with host=web EndpointUrl), or what npm start prints
  --profile <name>    sign with the credentials of this profile (auth=iam)
  --iam               sign with the credentials of the environment (auth=iam)
  --region <region>   of the function, where its URL does not say it
  --agent <id>        ask this agent only; may be repeated
  --prompt <text>     what each agent is asked; by default something harmless
  --timeout <s>       for one answer (120)`;

/** @throws Error that says what to write instead */
function readOptions(args: string[]): SmokeOptions {
  const { values } = parseArgs({
    args,
    options: {
      url: { type: 'string' },
      profile: { type: 'string' },
      iam: { type: 'boolean', default: false },
      region: { type: 'string' },
      agent: { type: 'string', multiple: true, default: [] },
      prompt: { type: 'string', default: PROMPT },
      timeout: { type: 'string', default: '120' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    process.exit();
  }
  const { url = '', profile, iam, region, agent, prompt, timeout } = values;
  if (!/^https?:\/\//.test(url) || !URL.canParse(url)) {
    throw new Error(`--url: expected a URL such as https://….lambda-url.us-east-1.on.aws/, got "${url}"`);
  }
  if (!/^\d{1,4}$/.test(timeout) || Number(timeout) === 0) {
    throw new Error(`--timeout: expected 1 to 9999 seconds, got "${timeout}"`);
  }
  const base = new URL(url);
  const isSigned = iam || profile !== undefined;
  const signing = { ...(profile !== undefined && { profile }), ...(region !== undefined && { region }) };
  return {
    base,
    send: isSigned ? signedByProfile(base, signing) : sendUnsigned,
    prompt,
    agents: agent,
    timeoutMs: Number(timeout) * 1000,
  };
}

try {
  const options = readOptions(process.argv.slice(2));
  console.log(`Checking ${options.base.origin}\n`);
  let checked = 0;
  let failed = 0;
  for await (const { name, ok, detail } of smoke(options)) {
    checked += 1;
    if (!ok) failed += 1;
    console.log(`${ok ? 'ok  ' : 'FAIL'}  ${name.padEnd(16)}  ${detail}`);
  }
  console.log(failed === 0 ? `\nAll ${checked} checks passed` : `\n${failed} of ${checked} checks failed`);
  process.exitCode = failed === 0 ? 0 : 1;
} catch (error) {
  console.error(`${(error as Error).message}\n\n${USAGE}`);
  process.exitCode = 1;
}
