import { parseCommand, wrongUsage } from './process/command-line.ts';

export type Request =
  | { do: 'help' }
  | { do: 'version' }
  | { do: 'run'; config: string; once: boolean }
  | { do: 'confirm'; config: string; commit: string }
  | { do: 'accept'; config: string; commit: string }
  | { do: 'rotate'; config: string; secret: string; entry: string }
  | { do: 'override'; config: string; duration: string; reason: string };

export const HELP = `Projects the secrets of git repositories to the workloads that may read them.

Usage: coffer-operator --config FILE [--once | --confirm COMMIT]
       coffer-operator accept COMMIT --config FILE
       coffer-operator rotate NAMESPACE/NAME ENTRY --config FILE
       coffer-operator override-audit --for DURATION --reason TEXT --config FILE

  accept COMMIT     take this commit, no matter who signed it and what was
                    accepted before, and judge what descends from it: for a
                    first commit, a branch that was rewound or replaced, a
                    commit that the policy refuses. It counts once, within a
                    day, and is recorded; a running operator takes it at its
                    next look
  rotate NAMESPACE/NAME ENTRY
                    make this value anew, whatever its age, as its manifest
                    says; it counts once, within a day, and is recorded
  override-audit    let a running operator go on for a time (--for 30m, at most
                    24h) although its audit log cannot be written: its records
                    wait in memory, and are written with this reason when the
                    log can be
  --config FILE     the operator's configuration (kind OperatorConfig)
  --once            look at every source once, project, and end; exit code 1 if
                    anything is in trouble
  --confirm COMMIT  carry out the removals that are held for this commit, or
                    take it although it leaves the source empty; a running
                    operator does so at its next look
  --help            show this
  --version         show the version

Exit codes: 0 done, 1 something is in trouble (--once), 2 wrong usage or
configuration, 3 cannot go on.
`;

const PROGRAM = 'coffer-operator';
const OPTIONS = {
  config: { type: 'string' },
  once: { type: 'boolean' },
  confirm: { type: 'string' },
  for: { type: 'string' },
  reason: { type: 'string' },
  help: { type: 'boolean' },
  version: { type: 'boolean' },
} as const;

/** Throws CofferError `ARGUMENTS_INVALID`. */
export function parseArguments(argv: readonly string[]): Request {
  const { values, positionals } = parseCommand(argv, OPTIONS, PROGRAM);
  const { help, version, config, ...options } = values;
  if (help) return { do: 'help' };
  if (version) return { do: 'version' };
  const [command, ...operands] = positionals;
  if (command !== undefined && command !== 'accept' && command !== 'override-audit' && command !== 'rotate')
    throw wrongUsage('there is no such command', PROGRAM);
  if (config === undefined) throw wrongUsage('--config FILE is missing', PROGRAM);
  if (command === 'accept') return accept(config, operands, options);
  if (command === 'rotate') return rotate(config, operands, options);
  if (command === 'override-audit') return override(config, operands, options);
  return run(config, options);
}

type Options = { once?: boolean; confirm?: string; for?: string; reason?: string };

function accept(config: string, [commit, ...others]: readonly string[], options: Options): Request {
  if (commit === undefined || others.length > 0) throw wrongUsage('accept takes one COMMIT', PROGRAM);
  if (Object.keys(options).length > 0) throw wrongUsage('accept goes with --config alone', PROGRAM);
  return { do: 'accept', config, commit };
}

function rotate(config: string, [secret, entry, ...others]: readonly string[], options: Options): Request {
  if (secret === undefined || entry === undefined || others.length > 0)
    throw wrongUsage('rotate takes NAMESPACE/NAME and ENTRY', PROGRAM);
  if (Object.keys(options).length > 0) throw wrongUsage('rotate goes with --config alone', PROGRAM);
  return { do: 'rotate', config, secret, entry };
}

function override(config: string, operands: readonly string[], options: Options): Request {
  const { for: duration, reason, ...others } = options;
  if (operands.length > 0 || Object.keys(others).length > 0)
    throw wrongUsage('override-audit goes with --for, --reason and --config alone', PROGRAM);
  if (duration === undefined || reason === undefined)
    throw wrongUsage('override-audit needs --for DURATION and --reason TEXT', PROGRAM);
  return { do: 'override', config, duration, reason };
}

function run(config: string, { once = false, confirm, ...others }: Options): Request {
  if (Object.keys(others).length > 0) throw wrongUsage('--for and --reason go with override-audit', PROGRAM);
  if (confirm === undefined) return { do: 'run', config, once };
  if (once) throw wrongUsage('--once and --confirm exclude each other', PROGRAM);
  return { do: 'confirm', config, commit: confirm };
}
