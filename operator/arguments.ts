import { parseCommand, wrongUsage } from './process/command-line.ts';

export type Request =
  | { do: 'help' }
  | { do: 'version' }
  | { do: 'run'; config: string; once: boolean }
  | { do: 'confirm'; config: string; commit: string }
  | { do: 'accept'; config: string; commit: string };

export const HELP = `Projects the secrets of git repositories to the workloads that may read them.

Usage: coffer-operator --config FILE [--once | --confirm COMMIT]
       coffer-operator accept COMMIT --config FILE

  accept COMMIT     take this commit, no matter who signed it and what was accepted before, and judge what descends from
                    it: for a first commit, a branch that was rewound or replaced, a commit that the policy refuses. It
                    counts once, within a day, and is recorded; a running operator takes it at its next look
  --config FILE     the operator's configuration (kind OperatorConfig)
  --once            look at every source once, project, and end; exit code 1 if anything is in trouble
  --confirm COMMIT  carry out the removals that are held for this commit, or take it although it leaves the source
                    empty; a running operator does so at its next look
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
  const { values, positionals } = parseCommand(argv, OPTIONS, PROGRAM);
  const { config, once = false, confirm, help, version } = values;
  if (help) return { do: 'help' };
  if (version) return { do: 'version' };
  const [command, commit, ...others] = positionals;
  if (command !== undefined && command !== 'accept') throw wrongUsage('there is no such command', PROGRAM);
  if (config === undefined) throw wrongUsage('--config FILE is missing', PROGRAM);
  if (command === 'accept') {
    if (commit === undefined || others.length > 0) throw wrongUsage('accept takes one COMMIT', PROGRAM);
    if (once || confirm !== undefined) throw wrongUsage('accept goes with --config alone', PROGRAM);
    return { do: 'accept', config, commit };
  }
  if (confirm === undefined) return { do: 'run', config, once };
  if (once) throw wrongUsage('--once and --confirm exclude each other', PROGRAM);
  return { do: 'confirm', config, commit: confirm };
}
