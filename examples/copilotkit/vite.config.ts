import { defineConfig } from 'vite';

/** The development server answers for CopilotKit's runtime as well. */
export default defineConfig({
  plugins: [
    {
      name: 'copilotkit-runtime',
      async configureServer({ middlewares }) {
        const { listener } = await import('./runtime.ts');
        middlewares.use((request, response, next) =>
          request.url?.startsWith('/api/copilotkit') ? listener(request, response) : next(),
        );
      },
    },
  ],
});
