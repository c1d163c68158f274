import { type Pins, readPinsFile } from '../../core/keys/pins.ts';

/** The operator's own pins, which `coffer recipients pin` never writes: that is for the pins of a person. Throws as `readPinsFile`. */
export async function readOperatorPins(file: string): Promise<Pins> {
  return {
    ...(await readPinsFile(file)),
    confirm: (name) =>
      `put the line of \`coffer recipients list ${name} --pins\` into the pins of the operator (\`pins\` in its configuration: ${file})`,
  };
}
