import { CopilotChat, CopilotKitProvider, WildcardToolCallRender } from '@copilotkit/react-core/v2';
import { type ReactNode, useState } from 'react';
import '@copilotkit/react-core/v2/styles.css';

/** Components with hooks of CopilotKit, `useFrontendTool` or `useAgent`, go in as children. */
export function App({ children }: { children?: ReactNode }) {
  const [error, setError] = useState<Error>();
  return (
    <CopilotKitProvider
      runtimeUrl="/api/copilotkit"
      renderToolCalls={TOOLS}
      onError={(event) => setError(event.error)}
      enableInspector={false}
    >
      {error && <p role="alert">{error.message}</p>}
      <div style={{ height: '100vh' }}>
        <CopilotChat onSubmitMessage={() => setError(undefined)} />
      </div>
      {children}
    </CopilotKitProvider>
  );
}

/** Every tool of the agent is shown alike; a renderer of your own takes the place of this one. */
const TOOLS = [WildcardToolCallRender];
