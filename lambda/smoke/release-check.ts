import { askAws } from './aws-request.ts';
import { PROMPT, smoke } from './checks.ts';
import { env, log, roleCredentials } from './environment.ts';
import { sendUnsigned, signingSend } from './signed-fetch.ts';

/** What CodeDeploy hands to a hook. */
export interface HookEvent {
  readonly DeploymentId: string;
  readonly LifecycleEventHookExecutionId: string;
}

/** Of one answer. A deployment waits for the hook for up to an hour, Lambda for 15 minutes. */
const ANSWER_TIMEOUT_MS = 120_000;

/**
 * The hook that CodeDeploy runs once all traffic goes to the new version: it calls the one URL as a caller does, with
 * the checks of `npm run smoke`, and says whether the deployment has succeeded. Where it has not, CodeDeploy takes the
 * traffic back to the version before.
 *
 * @see https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html#appspec-hooks-lambda
 */
export async function handler(event: HookEvent): Promise<void> {
  const passed = await checkRelease().catch((error: Error) => {
    log('error', 'Release check could not run', { problem: error.message });
    return false;
  });
  await askAws({
    service: 'codedeploy',
    region: env('AWS_REGION'),
    endpoint: endpointOf('codedeploy'),
    method: 'POST',
    path: '/',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'CodeDeploy_20141006.PutLifecycleEventHookExecutionStatus',
    },
    body: JSON.stringify({
      deploymentId: event.DeploymentId,
      lifecycleEventHookExecutionId: event.LifecycleEventHookExecutionId,
      status: passed ? 'Succeeded' : 'Failed',
    }),
    credentials: roleCredentials,
  });
}

async function checkRelease(): Promise<boolean> {
  const region = env('AWS_REGION');
  const { url, isPublic } = await functionUrl(region);
  let passed = true;
  for await (const { name, ok, detail } of smoke({
    base: new URL(url),
    send: isPublic ? sendUnsigned : signingSend({ region, credentials: roleCredentials }),
    prompt: PROMPT,
    agents: [],
    timeoutMs: ANSWER_TIMEOUT_MS,
  })) {
    passed &&= ok;
    // What failed may be told in an agent's own words, which belong into no log: npm run smoke shows them.
    log(ok ? 'info' : 'error', ok ? 'Release check passed' : 'Release check failed', {
      check: name,
      ...(ok && { seen: detail }),
    });
  }
  return passed;
}

/** The URL is asked for, as the template cannot name it here: the alias, and so its URL, waits for this hook. */
async function functionUrl(region: string): Promise<{ url: string; isPublic: boolean }> {
  const { FunctionUrl, AuthType } = await askAws({
    service: 'lambda',
    region,
    endpoint: endpointOf('lambda'),
    method: 'GET',
    path: `/2021-10-31/functions/${env('RELEASED_FUNCTION')}/url`,
    query: { Qualifier: env('RELEASED_ALIAS') },
    credentials: roleCredentials,
  });
  return { url: String(FunctionUrl), isPublic: AuthType === 'NONE' };
}

/** As the SDKs have it: a variable for another endpoint, else the region's. */
function endpointOf(service: 'lambda' | 'codedeploy'): string {
  const given = process.env[`AWS_ENDPOINT_URL_${service.toUpperCase()}`];
  return given || `https://${service}.${env('AWS_REGION')}.${env('URL_SUFFIX')}`;
}
