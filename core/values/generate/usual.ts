/** What is made where a manifest does not say it. */

/** Characters of a password, random bytes of hex and base64. */
export const LENGTHS = { least: 8, most: 1024, usual: 32 };
/** Of an rsa key. */
export const USUAL_BITS = 3072;
/** Of a certificate. */
export const USUAL_DAYS = 90;
