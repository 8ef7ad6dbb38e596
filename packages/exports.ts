/** What the package `agentcore-stream` exports. */
export const CONSTRUCTS_ENTRY = 'lib/agentcore-stream.ts';

/** What the package `agentcore-stream-client` exports: the module of client/ behind each path. */
export const CLIENT_SUBPATHS: Readonly<Record<string, string>> = {
  '.': 'stream-agent',
  './content-sha256': 'content-sha256',
  './react': 'react',
  './resume': 'resume',
  './sessions': 'sessions',
};
