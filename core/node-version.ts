const LEAST = [22, 19] as const;

/**
 * What to say where node is older than the one that coffer needs; undefined: it is new enough. For the entries of the programs: they
 * load nothing else before, since what follows would end in an older node with a syntax error, or for want of node:sqlite.
 */
export function oldNode(program: string): string | undefined {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > LEAST[0] || (major === LEAST[0] && minor >= LEAST[1])) return undefined;
  return `${program} needs Node ${LEAST.join('.')} or later; this is ${process.version}.\n  Put a newer node first on the PATH.`;
}
