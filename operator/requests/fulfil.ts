import type { AuditLog } from '../../core/audit/log.ts';
import { sodiumReady } from '../../core/crypto/sodium.ts';
import { Bug, CofferError } from '../../core/errors.ts';
import { readIfThere } from '../../core/files/read-if-there.ts';
import type { Manifest } from '../../core/format/manifest/manifest.ts';
import type { SealingKey } from '../../core/format/sealed/stanza.ts';
import { identityText } from '../../core/keys/key-texts.ts';
import type { Pins } from '../../core/keys/pins.ts';
import { sealingKeys } from '../../core/keys/sealing-keys.ts';
import { openerFor } from '../../core/opening/opener.ts';
import { type JoinRequest, requestFile } from '../../core/requests/request.ts';
import { missingStanzas } from '../../core/rotation/join.ts';
import type { Chore } from '../chores/chore.ts';
import type { KeyStore } from '../keys/key-store.ts';
import { readOperatorPins } from '../keys/operator-pins.ts';
import type { KubeClient } from '../kubernetes/client.ts';
import type { Log } from '../process/log.ts';
import type { Source } from '../source/source.ts';
import { type Asked, acceptedStates, askedOf, manifestsNaming } from './asked.ts';
import { refuseRolledBack } from './key-history.ts';
import { KnownKeys } from './known-keys.ts';
import { Publication } from './publication.ts';
import { Sealer } from './sealer.ts';

export interface FulfilmentOptions {
  cluster: string;
  stateDirectory: string;
  /** The operator's own: without a person's word there, nothing is sealed to anybody else. */
  pinsFile: string;
  store: KeyStore;
  sources: readonly Source[];
  audit: Pick<AuditLog, 'append'>;
  client?: KubeClient | undefined;
  log: Pick<Log, 'info'>;
}

/**
 * Does what committed requests ask of this cluster: seals the data keys of manifests to a recipient that joins, and publishes the
 * stanzas. Only for an identity that the request carries, the keyring has and the operator's own pins confirm: to rewrap is to
 * decrypt (docs/format.md, "What is bound and what is not").
 */
export class Requests implements Chore {
  #troubles: readonly CofferError[] = [];
  readonly #options: FulfilmentOptions;
  readonly #publication: Publication;
  readonly #knownKeys: KnownKeys;
  /** What was looked at last: the same commits and the same pins have nothing new to ask. */
  #seen = '';
  /** Refusals that the log has. */
  readonly #told = new Set<string>();

  constructor(options: FulfilmentOptions) {
    this.#options = options;
    this.#publication = new Publication(options.stateDirectory, options.client);
    this.#knownKeys = new KnownKeys(options.stateDirectory, options.client);
  }

  /** Looks again: at the start and after every poll; cheap when nothing changed. What goes wrong is tried again by the next call. */
  async look(): Promise<void> {
    const troubles: CofferError[] = [];
    try {
      await sodiumReady();
      await this.#look(troubles);
    } catch (error) {
      if (!(error instanceof CofferError)) throw error;
      this.#seen = '';
      troubles.push(error);
    }
    this.#troubles = troubles;
  }

  /** What stands in the way, for people. */
  troubles(): readonly CofferError[] {
    return this.#troubles;
  }

  async #look(troubles: CofferError[]): Promise<void> {
    const { sources, cluster, pinsFile } = this.#options;
    const states = await acceptedStates(sources);
    // What an unknown source asks for may have been made already, and stays.
    if (states === undefined) return;
    // What is held back of a commit may be let in later: then its tree is another.
    const trees = states.map(({ state }) => `${state.commit} ${state.tree}`);
    const seen = [...trees, await readIfThere(pinsFile)].join('\n');
    if (seen === this.#seen) {
      troubles.push(...this.#troubles);
      return;
    }
    const pins = await readOperatorPins(pinsFile);
    const asked = await Promise.all(states.map(({ source, state }) => askedOf(source, state, cluster)));
    troubles.push(...asked.flatMap(({ problems }) => problems));
    await this.#publication.keepOnly(new Set(asked.flatMap(({ requests }) => requests.map(({ id }) => id))));
    for (const one of asked) {
      const known = await this.#knownKeys.learn(one, pins);
      for (const request of one.requests) {
        troubles.push(...(await this.#try(one, request, pins, known.get(request.recipient))));
      }
    }
    this.#seen = troubles.some(({ loop }) => loop === 'retry') ? '' : seen;
  }

  async #try(asked: Asked, request: JoinRequest, pins: Pins, known: string | undefined): Promise<CofferError[]> {
    try {
      const key = keyFor(request, asked, pins);
      await refuseRolledBack(asked, request.recipient, known);
      await this.#fulfil(asked, request, key);
      return [];
    } catch (error) {
      if (!(error instanceof CofferError)) throw error;
      if (error.code.startsWith('REQUEST_') || error.code.startsWith('RECIPIENT_'))
        await this.#tell(asked, request, error);
      return [error.at({ file: requestFile(request.id), recipient: request.recipient })];
    }
  }

  /** Each refusal once in a run. */
  async #tell({ source, state }: Asked, { id, recipient }: JoinRequest, { code, message }: CofferError): Promise<void> {
    if (this.#told.has(`${id} ${code}`)) return;
    const { cluster, audit } = this.#options;
    const place = { source: source.id, commit: state.commit, path: requestFile(id) };
    await audit.append([{ event: 'request.refused', cluster, recipient, request: id, ...place, code, message }]);
    this.#told.add(`${id} ${code}`);
  }

  async #fulfil(asked: Asked, request: JoinRequest, key: SealingKey): Promise<void> {
    const { cluster, store, audit, log } = this.#options;
    const before = await this.#publication.read(request);
    const known = before?.kid === key.kid ? before.stanzas : new Map<string, string>();
    const keys = await store.read();
    const opener = openerFor(asked.keyring, keys, { as: cluster });
    const lacking = (manifest: Manifest) => missingStanzas(manifest, key);
    const sealer = new Sealer({ cluster, audit, asked, request: request.id, key, lacking, opener, known });
    try {
      for await (const manifest of manifestsNaming(asked, [cluster, request.recipient])) await sealer.add(manifest);
      await sealer.finish();
    } finally {
      opener.wipe();
      keys.wipe();
    }
    const { commit } = asked.state;
    const { stanzas, refused, made } = sealer;
    await this.#publication.write({
      request: request.id,
      recipient: key.recipient,
      kid: key.kid,
      commit,
      stanzas,
      refused,
    });
    if (made > 0) log.info(`made ${made} stanzas for ${key.recipient}, to be collected: ${request.id}`, { commit });
  }
}

/** Throws REQUEST_IDENTITY, REQUEST_NOT_CONFIRMED, and what `sealingKeys` throws: RECIPIENT_IDENTITY_CHANGED where the pins say another. */
function keyFor(request: JoinRequest, { keyring }: Asked, pins: Pins): SealingKey {
  const recipient = keyring.recipients.get(request.recipient);
  if (recipient !== undefined && !recipient.identity.equals(request.identity)) {
    throw new CofferError(
      'REQUEST_IDENTITY',
      `the identity of ${request.recipient} is not the one that the request asks for`,
      {
        advice:
          'Find out who changed the keyring; if the new identity is right, ask again with `coffer recipients add`.',
        data: { recipient: request.recipient },
      },
    );
  }
  if (pins.identityOf(request.recipient) === undefined) throw unconfirmed(request);
  const [key] = sealingKeys(keyring, pins, [request.recipient]);
  if (key === undefined) throw new Bug('no key of a recipient that has one');
  return key;
}

function unconfirmed({ recipient, identity, like }: JoinRequest): CofferError {
  return new CofferError(
    'REQUEST_NOT_CONFIRMED',
    `a commit asks to let ${recipient} open what ${like} can, and nobody confirmed ${recipient} to this operator`,
    {
      advice: `Compare the identity with its owner; if it is right, add this line to the operator's pins: ${recipient} ${identityText(identity)}`,
      data: { recipient },
    },
  );
}
