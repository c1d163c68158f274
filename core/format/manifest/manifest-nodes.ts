/** The parts of a manifest's document that edits change. */
import { Bug } from '../../errors.ts';
import { field, type MappingNode, type SequenceNode } from '../document/node.ts';
import type { Manifest, ManifestFile } from './manifest.ts';

export function manifestAt(file: ManifestFile, index: number): Manifest {
  const manifest = file.manifests[index];
  if (manifest === undefined) throw new Bug('a manifest index that the file does not have');
  return manifest;
}

export function specOf(manifest: Manifest): MappingNode {
  return mappingUnder(manifest.document.root, 'spec');
}

export function dataOf(manifest: Manifest): MappingNode {
  return mappingUnder(specOf(manifest), 'data');
}

export function recipientsOf(manifest: Manifest): SequenceNode {
  return sequenceUnder(specOf(manifest), 'recipients');
}

export function readersOf(manifest: Manifest): SequenceNode {
  return sequenceUnder(specOf(manifest), 'readers');
}

function mappingUnder(parent: MappingNode, name: string): MappingNode {
  const node = field(parent, name);
  if (node?.kind !== 'mapping') throw new Bug(`a manifest without ${name}`);
  return node;
}

function sequenceUnder(parent: MappingNode, name: string): SequenceNode {
  const node = field(parent, name);
  if (node?.kind !== 'sequence') throw new Bug(`a manifest without ${name}`);
  return node;
}
