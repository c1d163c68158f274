import { parseOptions, wrongUsage } from './process/command-line.ts';

export type Request =
  | { do: 'help' }
  | { do: 'version' }
  | { do: 'run'; config: string; once: boolean }
  | { do: 'confirm'; config: string; commit: string };

export const HELP = `Projects the secrets of git repositories to the workloads that may read them.

Usage: coffer-operator --config FILE [--once | --confirm COMMIT]

  --config FILE     the operator's configuration (kind OperatorConfig)
  --once            look at every source once, project, and end; exit code 1 if anything is in trouble
  --confirm COMMIT  carry out the removals, or follow the rewound branch, that are held for this commit; a running
                    operator does so at its next look
  --help            show this
  --version         show the version

Exit codes: 0 done, 1 something is in trouble (--once), 2 wrong usage or configuration, 3 cannot go on.
`;

const PROGRAM = 'coffer-operator';
const OPTIONS = {
  config: { type: 'string' },
  once: { type: 'boolean' },
  confirm: { type: 'string' },
  help: { type: 'boolean' },
  version: { type: 'boolean' },
} as const;

/** Throws CofferError `ARGUMENTS_INVALID`. */
export function parseArguments(argv: readonly string[]): Request {
  const { config, once = false, confirm, help, version } = parseOptions(argv, OPTIONS, PROGRAM);
  if (help) return { do: 'help' };
  if (version) return { do: 'version' };
  if (config === undefined) throw wrongUsage('--config FILE is missing', PROGRAM);
  if (confirm === undefined) return { do: 'run', config, once };
  if (once) throw wrongUsage('--once and --confirm exclude each other', PROGRAM);
  return { do: 'confirm', config, commit: confirm };
}
