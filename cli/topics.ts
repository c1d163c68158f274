/** Words that several commands begin with, and what they are about. */
export const TOPICS = {
  audit: { description: 'the log of an operator: verify it, look things up, prove' },
  recipients: { description: 'the keyring: who can open secrets' },
  ejson: { description: "the ejson tool's own interface" },
};
