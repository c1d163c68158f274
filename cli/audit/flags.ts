import { Flags } from '../base-command.ts';

/** What the commands of the log share. */
const log = {
  description: "a log's directory, the URL of an operator's /audit/, or a bundle",
  helpValue: 'DIR|URL|BUNDLE',
};
const several = { ...log, description: `${log.description}; several: logs of several clusters or replicas` };

export const logFlag = Flags.string({ ...log, required: true });
export const logsFlag = Flags.string({ ...several, multiple: true, required: true });
/** Of a flag that may be left out and given several times; without a text oclif's help says `[default: ]`. */
export const noneByDefault = { multiple: true as const, default: [] as string[], defaultHelp: async () => '' };

export const anyLogsFlag = Flags.string({ ...several, ...noneByDefault });

export const identityFlag = Flags.string({
  description: "whose signature counts (default: what you pinned for the log's cluster); CLUSTER=… for one of several",
  helpValue: 'coffer-identity-1-…',
  ...noneByDefault,
});
