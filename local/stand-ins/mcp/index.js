/** Each class of the SDK that Strands names. */
class Absent {
  constructor() {
    throw new Error('local/stand-ins/mcp has no client: an agent with MCP needs @modelcontextprotocol/sdk');
  }
}

export {
  Absent as Client,
  Absent as ClientCredentialsProvider,
  Absent as McpError,
  Absent as SSEClientTransport,
  Absent as StdioClientTransport,
  Absent as StreamableHTTPClientTransport,
  Absent as UrlElicitationRequiredError,
};

export const ElicitRequestSchema = undefined;
export const ErrorCode = {};
export const LoggingMessageNotificationSchema = undefined;
export const getDefaultEnvironment = () => ({});
export const takeResult = undefined;
