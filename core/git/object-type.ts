/** The four kinds of objects that git stores. */
export type ObjectType = 'commit' | 'tree' | 'blob' | 'tag';
