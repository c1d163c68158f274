import { Bug } from '../../core/errors.ts';
import { judge as realJudge } from '../../core/trust/judge.ts';
import { SealedBefore as RealSealedBefore } from '../../core/trust/sealed-before.ts';

/** Until core/trust is written: as if nobody need sign. */
export async function judge(input: Parameters<typeof realJudge>[0]): ReturnType<typeof realJudge> {
  try {
    return await realJudge(input);
  } catch (error) {
    if (!(error instanceof Bug && error.message === 'not written yet')) throw error;
    return { refusals: [], returns: [], outstanding: [], learnt: { records: [] } } as unknown as Awaited<
      ReturnType<typeof realJudge>
    >;
  }
}

export async function openSealedBefore(file: string): Promise<RealSealedBefore> {
  try {
    return await RealSealedBefore.open(file);
  } catch (error) {
    if (!(error instanceof Bug && error.message === 'not written yet')) throw error;
    return {
      isEmpty: true,
      learnTree: async () => ({ records: [] }),
      persist: async () => {},
    } as unknown as RealSealedBefore;
  }
}
