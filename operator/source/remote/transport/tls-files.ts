import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { CofferError } from '../../../../core/errors.ts';

export interface TlsFiles {
  caFile?: string;
  clientCertFile?: string;
  clientKeyFile?: string;
}

export interface TlsSettings {
  ca?: string;
  client?: { cert: string; key: string };
}

/** The files as they are now. Throws `SOURCE_CA_UNREADABLE`, `SOURCE_CLIENT_CERTIFICATE_UNREADABLE`. */
export async function readTlsFiles({ caFile, clientCertFile, clientKeyFile }: TlsFiles): Promise<TlsSettings> {
  return {
    ...(caFile === undefined ? {} : { ca: await readCa(caFile) }),
    ...(clientCertFile === undefined || clientKeyFile === undefined
      ? {}
      : { client: await readClient(clientCertFile, clientKeyFile) }),
  };
}

async function readCa(file: string): Promise<string> {
  try {
    const text = await readFile(file, 'utf8');
    // OpenSSL takes what is no certificate for none at all, without a word.
    new X509Certificate(text);
    return text;
  } catch (cause) {
    throw new CofferError('SOURCE_CA_UNREADABLE', `the CA file ${file} cannot be read`, {
      advice: 'Check `caFile`: PEM certificates, which the operator may read.',
      data: { path: file },
      loop: 'retry',
      cause,
    });
  }
}

async function readClient(certFile: string, keyFile: string): Promise<{ cert: string; key: string }> {
  let path = certFile;
  try {
    const cert = await readFile(certFile, 'utf8');
    const certificate = new X509Certificate(cert);
    path = keyFile;
    const key = await readFile(keyFile, 'utf8');
    // Between the replacement of the two files they do not fit each other.
    if (certificate.checkPrivateKey(createPrivateKey(key))) return { cert, key };
  } catch (cause) {
    throw unreadable(`the client certificate’s file ${path} cannot be read`, path, cause);
  }
  throw unreadable(`${keyFile} is not the key of the certificate in ${certFile}`, keyFile);
}

function unreadable(message: string, path: string, cause?: unknown): CofferError {
  return new CofferError('SOURCE_CLIENT_CERTIFICATE_UNREADABLE', message, {
    advice:
      'Check `clientCertFile` and `clientKeyFile`: PEM, the key not encrypted; they are read again at every fetch.',
    data: { path },
    loop: 'retry',
    cause,
  });
}
