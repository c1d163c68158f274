import { parseJson } from '../../core/json.ts';
import type { WatchEvent } from './client.ts';
import { noAnswer } from './kubernetes-error.ts';
import { type Asked, refusalOf } from './refusal.ts';

/** An answer as JSON; the shape is the server's word. Throws `KUBERNETES_ANSWER`. */
export function parse<T>(body: Buffer): T {
  const answer = parseJson(body.toString());
  if (answer === undefined) throw noAnswer();
  return answer as T;
}

/** A line of a watch. An `ERROR` event is a refusal that comes late: https://kubernetes.io/docs/reference/using-api/api-concepts/#410-gone-responses */
export function eventOf(line: Buffer, asked: Asked): WatchEvent {
  const event = parse<Partial<WatchEvent> | { type: 'ERROR'; object: { code?: number } } | null>(line);
  if (event?.type === 'ERROR') {
    const { object } = event;
    throw refusalOf(asked, {
      status: object?.code ?? 500,
      headers: {},
      body: Buffer.from(JSON.stringify(object ?? {})),
    });
  }
  const isEvent = event?.type !== undefined && event.object?.metadata !== undefined;
  if (!isEvent) throw noAnswer();
  return event as WatchEvent;
}
