import { describe, expect, test } from '@jest/globals';
import {
  readServerConfig,
  refuseShorterRequests,
  SERVER_SETTINGS,
  type ServerConfig,
} from '../../lambda/hosts/server-config.ts';
import { SETTINGS } from '../../lambda/settings.ts';

describe('the server without any variable', () => {
  test('listens on port 8080 of every address, for callers of no other origin', () => {
    expect(readServerConfig({})).toEqual({
      host: '0.0.0.0',
      port: 8080,
      allowedOrigins: [],
      isWebFunction: false,
      maxStreams: 1000,
      requestTimeoutMs: 900_000,
      shutdownGraceMs: 25_000,
      keepAliveTimeoutMs: 75_000,
      maxRequestBytes: 6_291_456,
    });
  });

  test('has no limit that another host has under the same name', () => {
    const others = Object.values(SETTINGS).map(({ variable }) => variable);

    for (const { variable } of Object.values(SERVER_SETTINGS)) expect(others).not.toContain(variable);
  });
});

describe('MAX_DURATION_MS', () => {
  const startWith = (maxDurationMs: number, requestTimeoutMs: number) => () =>
    refuseShorterRequests({ maxDurationMs }, { requestTimeoutMs });

  test.each([
    ['an hour', 3_600_000, 3_600_000],
    ['the default of 15 minutes, which a shorter request only shortens', 900_000, 300_000],
  ])('may be %s', (_what, maxDurationMs, requestTimeoutMs) => {
    expect(startWith(maxDurationMs, requestTimeoutMs)).not.toThrow();
  });

  test('of more than 15 minutes is refused when requests may not take as long', () => {
    expect(startWith(3_600_000, 900_000)).toThrow(
      'MAX_DURATION_MS: expected at most REQUEST_TIMEOUT_MS, which ends every request after 900000 milliseconds, got 3600000',
    );
    expect(startWith(3_600_000, 3_599_999)).toThrow('MAX_DURATION_MS');
  });
});

describe('where it listens', () => {
  test.each<[Record<string, string>, Partial<ServerConfig>]>([
    [
      { HOST: '127.0.0.1', PORT: '0' },
      { host: '127.0.0.1', port: 0 },
    ],
    [{ PORT: '65535' }, { port: 65_535 }],
    [
      { AWS_LAMBDA_HTTP_ENDPOINT: '0.0.0.0:3000', PORT: '1' },
      { host: '0.0.0.0', port: 3000, isWebFunction: true },
    ],
    [{ AWS_LAMBDA_HTTP_ENDPOINT: '[::]:3000' }, { host: '::', port: 3000 }],
  ])('%j is %j', (env, expected) => {
    expect(readServerConfig(env)).toMatchObject(expected);
  });

  test.each([
    [{ PORT: 'http' }, /^PORT: expected a port from 0 to 65535, got "http"$/],
    [{ PORT: '65536' }, /^PORT: expected a port from 0 to 65535, got "65536"$/],
    [{ PORT: '-1' }, /^PORT: /],
    [{ AWS_LAMBDA_HTTP_ENDPOINT: '3000' }, /^AWS_LAMBDA_HTTP_ENDPOINT: expected host:port .*, got "3000"$/],
    [{ AWS_LAMBDA_HTTP_ENDPOINT: 'host:99999' }, /^AWS_LAMBDA_HTTP_ENDPOINT: expected a port/],
  ])('%j is refused', (env, message) => {
    expect(() => readServerConfig(env as Record<string, string>)).toThrow(message);
  });
});

describe('ALLOWED_ORIGINS', () => {
  test.each([
    ['', []],
    ['*', ['*']],
    ['https://a.example.com', ['https://a.example.com']],
    [' https://a.example.com , http://localhost:5173 ', ['https://a.example.com', 'http://localhost:5173']],
  ])('%j is %j', (came, origins) => {
    expect(readServerConfig({ ALLOWED_ORIGINS: came }).allowedOrigins).toEqual(origins);
  });

  test.each([
    'a.example.com',
    'https://a.example.com/',
    'https://A.example.com',
    'ftp://a.example.com',
    'null',
  ])('%j is refused', (came) => {
    expect(() => readServerConfig({ ALLOWED_ORIGINS: came })).toThrow(
      /^ALLOWED_ORIGINS: expected origins such as .*, got "/,
    );
  });
});
