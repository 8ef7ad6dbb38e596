import { describe, expect, test } from '@jest/globals';
import { type AgentEntry, findAgent, parseAgents } from '../../lambda/agents.ts';

const ARN = 'arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/OnboardingAgent_Agent-a1B2c3D4e5';
const OTHER_ARN = 'arn:aws:bedrock-agentcore:eu-west-1:123456789012:runtime/MWCAgent_Agent-0123456789';
const MINIMAL = { id: 'onboarding', name: 'OnboardingAgent', runtimeArn: ARN };

describe('an entry of AGENTS', () => {
  test('gets its defaults', () => {
    expect(parseAgents([MINIMAL])).toEqual([
      {
        ...MINIMAL,
        qualifier: 'DEFAULT',
        transport: 'websocket',
        description: '',
        capabilities: [],
        framing: 'auto',
        dialect: 'auto',
        payload: 'refuse',
        structured: 'pass',
      },
    ]);
  });

  test('keeps everything that it says', () => {
    const full: AgentEntry = {
      ...MINIMAL,
      qualifier: 'prod_2',
      transport: 'http',
      description: 'Onboards',
      capabilities: ['onboarding', 'chat'],
      framing: 'json',
      endMarker: 'message_stop',
      textPath: 'event.contentBlockDelta.delta.text',
      structured: 'drop',
      dialect: 'generic',
      payload: 'merge',
      firstChunkTimeoutMs: 1000,
      idleTimeoutMs: 2000,
    };

    expect(parseAgents([full])).toEqual([full]);
  });

  test('may leave a key undefined', () => {
    expect(parseAgents([{ ...MINIMAL, qualifier: undefined, endMarker: undefined }])).toEqual(
      parseAgents([MINIMAL]),
    );
  });

  test.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /expected a non-empty JSON array of agents, got undefined/],
    ['null', null, /expected a non-empty JSON array of agents, got null/],
    ['an object', MINIMAL, /expected a non-empty JSON array of agents, got {/],
    ['an empty array', [], /expected a non-empty JSON array of agents, got \[\]/],
    ['an entry that is a string', ['x'], /agent 0: expected an object, got "x"/],
    ['an entry that is null', [MINIMAL, null], /agent 1: expected an object, got null/],
    ['an entry that is an array', [[]], /agent 0: expected an object, got \[\]/],
    ['no id', [{ name: 'A', runtimeArn: ARN }], /agent 0: "id" is missing/],
    ['no name', [{ id: 'a', runtimeArn: ARN }], /agent "a": "name" is missing/],
    ['no ARN', [{ id: 'a', name: 'A' }], /agent "a": "runtimeArn" is missing/],
    ['the same id twice', [MINIMAL, { ...MINIMAL, name: 'B' }], /duplicate agent id "onboarding"/],
    ['the same name twice', [MINIMAL, { ...MINIMAL, id: 'b' }], /duplicate agent name "OnboardingAgent"/],
  ])('the list is refused with what is wrong: %s', (_what, value, message) => {
    expect(() => parseAgents(value)).toThrow(message);
  });

  test.each<[string, unknown, RegExp]>([
    ['id', '', /"id" expected 1 to 64 letters.*got ""/],
    ['id', 'a b', /"id" expected .*got "a b"/],
    ['id', '../x', /"id" expected .*got "\.\.\/x"/],
    ['id', 5, /"id" expected .*got 5/],
    ['name', '', /"name" expected a non-empty string, got ""/],
    ['name', 7, /"name" expected a non-empty string, got 7/],
    ['runtimeArn', 7, /"runtimeArn" expected a non-empty string, got 7/],
    ['runtimeArn', 'x', /agent "onboarding": not a runtime ARN: expected arn:.*got "x"/],
    ['runtimeArn', `${ARN}/runtime-endpoint/DEFAULT`, /endpoint ARN.*qualifier/],
    ['qualifier', '', /"qualifier" expected an endpoint name.*got ""/],
    ['qualifier', 'a-b', /"qualifier" expected .*got "a-b"/],
    ['qualifier', 'a&b=c', /"qualifier" expected .*got "a&b=c"/],
    ['transport', 'grpc', /"transport" expected one of websocket, http, got "grpc"/],
    ['transport', null, /"transport" expected one of websocket, http, got null/],
    ['description', 1, /"description" expected a string, got 1/],
    ['capabilities', 'chat', /"capabilities" expected an array of strings, got "chat"/],
    ['capabilities', [1], /"capabilities" expected an array of strings, got \[1\]/],
    ['framing', 'xml', /"framing" expected one of auto, sse, json, ndjson, text, got "xml"/],
    ['endMarker', '', /"endMarker" expected a non-empty string, got ""/],
    ['textPath', ['a', 1], /"textPath" expected a non-empty string, or a list of them, got \["a",1\]/],
    ['textPath', [], /"textPath" expected .*got \[\]/],
    ['dialect', 'klingon', /"dialect" expected one of auto, .*generic, got "klingon"/],
    ['payload', 'yes', /"payload" expected one of refuse, merge, got "yes"/],
    ['ends', 'never', /"ends" expected one of marker, close, got "never"/],
    ['input', { q: 'x' }, /"input" expected an object in which "\$prompt" stands.*got \{"q":"x"\}/],
    ['structured', true, /"structured" expected one of pass, drop, event, got true/],
    ['firstChunkTimeoutMs', 0, /"firstChunkTimeoutMs" expected a positive whole number.*got 0/],
    ['firstChunkTimeoutMs', '5', /"firstChunkTimeoutMs" expected a positive whole number.*got "5"/],
    ['idleTimeoutMs', -1, /"idleTimeoutMs" expected .*got -1/],
    ['idleTimeoutMs', 1.5, /"idleTimeoutMs" expected .*got 1\.5/],
    ['idleTimeoutMs', 2 ** 31, /"idleTimeoutMs" expected .*got 2147483648/],
    ['firstChunkTimeoutMs', 2 ** 31, /"firstChunkTimeoutMs" expected .*got 2147483648/],
    ['framming', 'json', /unknown key "framming", expected one of id, name, /],
    ['constructor', 'x', /unknown key "constructor"/],
  ])('"%s": %j is refused with agent, key, what was expected and what came', (key, value, message) => {
    const list = [{ ...MINIMAL, [key]: value }];

    expect(() => parseAgents(list)).toThrow(message);
    if (key !== 'id') expect(() => parseAgents(list)).toThrow(/agent "onboarding"/);
  });

  test('"__proto__" is an unknown key like any other', () => {
    const list: unknown = JSON.parse(
      `[{"id":"a","name":"A","runtimeArn":"${ARN}","__proto__":{"framing":"sse"}}]`,
    );

    expect(() => parseAgents(list)).toThrow(/unknown key "__proto__"/);
  });

  test('what came is shown, but not all of it', () => {
    const list = [{ ...MINIMAL, transport: 'x'.repeat(100_000) }];

    expect(() => parseAgents(list)).toThrow(/^.{1,300}$/s);
  });

  test('a deploy-time token is accepted wherever a string stands', () => {
    const list = [{ id: 'a', name: 'A', runtimeArn: '{{token 1}}', qualifier: '{{token 2}}' }];
    const isToken = (text: string) => text.startsWith('{{token');

    expect(parseAgents(list, isToken)).toMatchObject(list);
    expect(() => parseAgents(list)).toThrow(/not a runtime ARN/);
  });
});

describe("a caller's agentId", () => {
  const agents = parseAgents([MINIMAL, { id: 'mwc', name: 'MWCAgent', runtimeArn: OTHER_ARN }]).map(
    (entry) => ({
      entry,
    }),
  );

  test.each([
    ['its id', 'mwc'],
    ['its name', 'MWCAgent'],
    ['its runtime ARN', OTHER_ARN],
  ])('names an agent by %s', (_what, agentId) => {
    expect(findAgent(agents, agentId)).toBe(agents[1]);
  });

  test.each([
    'MWC',
    'mwcagent',
    'MWCAgent ',
    'nobody',
    '',
    '__proto__',
    'constructor',
    'MWCAgent_Agent-0123456789',
    'https://evil.example.com',
    'arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/Other-0123456789',
    OTHER_ARN.replace('aws:', 'aws-cn:'),
  ])('%j names nothing that is configured', (agentId) => {
    expect(findAgent(agents, agentId)).toBeUndefined();
  });

  test("an id wins over another agent's name", () => {
    const list = parseAgents([
      { ...MINIMAL, name: 'b' },
      { id: 'b', name: 'B', runtimeArn: OTHER_ARN },
    ]).map((entry) => ({ entry }));

    expect(findAgent(list, 'b')).toBe(list[1]);
  });
});
