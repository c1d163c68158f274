import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { type Agent, request } from 'node:http';

/** Delivers as GitHub does; `agent`: absent, a connection of its own. Resolves to the HTTP status. */
export async function deliver(
  address: string,
  secret: string,
  body = Buffer.from('{"ref":"refs/heads/main"}'),
  agent: Agent | false = false,
): Promise<number | undefined> {
  const signature = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
  const headers = { 'content-type': 'application/json', 'x-hub-signature-256': signature };
  const asked = request(new URL('/webhooks', address), { method: 'POST', headers, agent });
  // Who is refused may be cut off while the body is on its way; before an answer that rejects.
  asked.on('error', () => {});
  asked.end(body);
  const [response] = await once(asked, 'response');
  response.resume();
  return response.statusCode;
}
