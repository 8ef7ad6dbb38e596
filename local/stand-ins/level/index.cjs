exports.Level = class {
  constructor(path) {
    throw new Error(`local/stand-ins/level keeps no tables in files: expected no path, got ${path}`);
  }
};
