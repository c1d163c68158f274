/** What can be wrong with an object, by the names of git-fsck's "FSCK MESSAGES"; `headerTooLong` and `treeTooLong` are ours. */
export type Problem =
  | 'badDate'
  | 'badDateOverflow'
  | 'badEmail'
  | 'badFilemode'
  | 'badName'
  | 'badObjectSha1'
  | 'badParentSha1'
  | 'badTagName'
  | 'badTimezone'
  | 'badTree'
  | 'badTreeSha1'
  | 'badType'
  | 'duplicateEntries'
  | 'fullPathname'
  | 'hasDot'
  | 'hasDotdot'
  | 'hasDotgit'
  | 'headerTooLong'
  | 'missingAuthor'
  | 'missingCommitter'
  | 'missingEmail'
  | 'missingNameBeforeEmail'
  | 'missingObject'
  | 'missingSpaceBeforeDate'
  | 'missingSpaceBeforeEmail'
  | 'missingTagEntry'
  | 'missingTaggerEntry'
  | 'missingTree'
  | 'missingTypeEntry'
  | 'multipleAuthors'
  | 'nulInCommit'
  | 'nulInHeader'
  | 'nullSha1'
  | 'treeNotSorted'
  | 'treeTooLong'
  | 'unterminatedHeader'
  | 'zeroPaddedDate'
  | 'zeroPaddedFilemode';

/**
 * What is let through, because the histories of real repositories have it and nothing is decided by it; everything else is
 * refused. Git calls the first six errors (forges switch them off), the others warnings or less. What it also only warns of and
 * is refused here: names that reach out of their folder or into `.git`, the null id, and modes that are none of git's.
 */
export const TOLERATED: ReadonlySet<Problem> = new Set([
  'badTimezone',
  'zeroPaddedDate',
  'missingSpaceBeforeDate',
  'missingSpaceBeforeEmail',
  'missingNameBeforeEmail',
  'missingEmail',
  'nulInCommit',
  'zeroPaddedFilemode',
  'badTagName',
  'missingTaggerEntry',
]);
