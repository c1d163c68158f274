import { parseArgs } from 'node:util';
import { CofferError } from '../core/errors.ts';

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

const OPTIONS = {
  config: { type: 'string' },
  once: { type: 'boolean' },
  confirm: { type: 'string' },
  help: { type: 'boolean' },
  version: { type: 'boolean' },
} as const;

/** Throws CofferError `ARGUMENTS_INVALID`. */
export function parseArguments(argv: readonly string[]): Request {
  const { config, once = false, confirm, help, version } = parsed(argv);
  if (help) return { do: 'help' };
  if (version) return { do: 'version' };
  if (config === undefined) throw invalid('--config FILE is missing');
  if (confirm === undefined) return { do: 'run', config, once };
  if (once) throw invalid('--once and --confirm exclude each other');
  return { do: 'confirm', config, commit: confirm };
}

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, strict: true }).values;
  } catch (error) {
    if (error instanceof TypeError && 'code' in error)
      throw invalid('an argument is not known here, or lacks its value');
    throw error;
  }
}

function invalid(what: string): CofferError {
  return new CofferError('ARGUMENTS_INVALID', `Wrong usage: ${what}.`, {
    advice: 'See coffer-operator --help.',
    exit: 2,
    loop: 'stop',
  });
}
