import type { Section } from './page.ts';
import type { Peers } from './peers.ts';
import type { Workplace } from './workplace.ts';

export async function measureOperator(_workplace: Workplace, _peers: Peers): Promise<Section> {
  return { title: 'Operator', body: [], targets: [] };
}
