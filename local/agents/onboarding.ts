import { recall, serveAgent } from './agent.ts';

/** Proposes an architecture: Markdown, with a CloudFormation template between <cfn> tags. */
serveAgent({
  *answer({ prompt, previous }) {
    yield `${recall(previous)}# Architecture for "${prompt}"\n\n`;
    yield 'A private bucket holds the content, a distribution serves it over HTTPS, and nothing else is public.\n\n';
    yield '## Resources\n\n- **Content**: an S3 bucket with versioning\n- **Delivery**: a CloudFront distribution\n\n';
    yield '## Cost estimate\n\n| Item | Per month |\n| --- | --- |\n| Storage, 5 GB | $0.12 |\n| Transfer, 20 GB | $1.70 |\n\n';
    yield `<cfn>\n${template(prompt)}</cfn>\n\n`;
    yield `## Deployment summary\n\nAsk the ProvisioningAgent to deploy this for "${prompt}".\n`;
  },
  // A stream of server-sent events, cut into messages; ended as OpenAI's is.
  encode: (piece) => `data: ${JSON.stringify(typeof piece === 'string' ? { chunk: piece } : piece)}\n\n`,
  endMessage: 'data: [DONE]\n\n',
});

function template(prompt: string): string {
  return [
    "AWSTemplateFormatVersion: '2010-09-09'",
    `Description: ${JSON.stringify(prompt)}`,
    'Resources:',
    '  Content:',
    '    Type: AWS::S3::Bucket',
    '    Properties:',
    '      VersioningConfiguration:',
    '        Status: Enabled',
    '',
  ].join('\n');
}
