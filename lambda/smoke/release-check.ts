import { askAws } from './aws-request.ts';
import { PROMPT, smoke } from './checks.ts';
import { env, log, roleCredentials } from './environment.ts';
import { sendUnsigned, signingSend } from './signed-fetch.ts';

/** The event that CodeDeploy gives to a hook. */
export interface HookEvent {
  readonly DeploymentId: string;
  readonly LifecycleEventHookExecutionId: string;
}

/** The longest time of one answer. A deployment waits up to an hour for the hook, and Lambda 15 minutes. */
const ANSWER_TIMEOUT_MS = 120_000;

/**
 * The hook that CodeDeploy runs when all traffic goes to the new version. It calls the Function URL as a caller does,
 * with the checks of `npm run smoke`, and reports whether the deployment has succeeded. After a failure CodeDeploy
 * moves the traffic back to the previous version.
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
    // The detail of a failure may contain an agent's own words, which must not be logged. `npm run smoke` shows it.
    log(ok ? 'info' : 'error', ok ? 'Release check passed' : 'Release check failed', {
      check: name,
      ...(ok && { seen: detail }),
    });
  }
  return passed;
}

/** Asks Lambda for the URL. The template cannot give it, because the alias and its URL wait for this hook. */
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

/** Returns the endpoint of a service as the SDKs choose it: from a variable, otherwise the region's. */
function endpointOf(service: 'lambda' | 'codedeploy'): string {
  const given = process.env[`AWS_ENDPOINT_URL_${service.toUpperCase()}`];
  return given || `https://${service}.${env('AWS_REGION')}.${env('URL_SUFFIX')}`;
}
