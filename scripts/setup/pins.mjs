/**
 * The exact tools that build and run Holdfast, with the checksums the public registry published for them.
 * Change a version here together with its checksums: `npm view NAME@VERSION dist.integrity`.
 */

/** Older than this, better-sqlite3 13 crashes the process instead of loading. */
export const OLDEST_NODE = '22.14.0';

export const NODE_VERSION = '24.21.0';
export const PNPM_VERSION = '12.21.0';

/** One package per platform, each with nothing but `bin/node` and its headers: no install script runs. */
const NODE_INTEGRITY = {
  'linux-x64': 'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
  'linux-arm64': 'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
};

/** pnpm's own package and the binaries it depends on. Platforms not listed are checked by npm alone. */
const PNPM_INTEGRITY = {
  pnpm: 'sha512-Zv2CeO4ok1zpUXktNDZ/869cQyonVkRYIwKVM4NbjaUpu+C+UTCv1W7QcT+4eJ5Hutgtk71a4v5UsVVi1idu8A==',
  '@pnpm/exe.linux-x64': 'sha512-8eufCjHXspKbNS/kh8q4Q0gqJoOuvC4Q5pgos6XS8By/nAMtP+jf8F1Cw9er840kfAX+PJ/ts+A9qnLE91rvXQ==',
  '@pnpm/exe.linux-arm64': 'sha512-4Oj/iF2TDCe2lcH0n4TupPR5sSdrNLclJB6xBElLMPCUOAvBhdf2rRlSaO5M4erJ6g4Fyy7YTXTpcmfFsKyxEA==',
};

/**
 * The package that brings the exact Node to this machine, or undefined where none is pinned: macOS (the person
 * installs Node there) and Linux without glibc, where the packaged binary can't start.
 */
export function nodePackage({ platform, arch, glibc }) {
  const integrity = NODE_INTEGRITY[`${platform}-${arch}`];
  if (integrity === undefined || (platform === 'linux' && !glibc)) return undefined;
  return { name: `node-${platform}-${arch}`, version: NODE_VERSION, integrity };
}

export function pnpmPackages() {
  return Object.entries(PNPM_INTEGRITY).map(([name, integrity]) => ({ name, version: PNPM_VERSION, integrity }));
}

/** Compares release numbers; a pre-release counts as its release. */
export function isAtLeast(version, oldest) {
  const left = version.split('.').map(part => Number.parseInt(part, 10));
  const right = oldest.split('.').map(part => Number.parseInt(part, 10));
  for (let i = 0; i < right.length; i++) {
    if ((left[i] || 0) !== right[i]) return (left[i] || 0) > right[i];
  }
  return true;
}
