throw new Error(
  'local/stand-ins/absent stands in for this package, which nothing loaded so far: to load it, take its ' +
    'name out of "devDependencies" and "overrides" in package.json, and run npm install',
);
