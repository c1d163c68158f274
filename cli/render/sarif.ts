import { pathToFileURL } from 'node:url';
import type { Finding } from '../../core/check/finding.ts';
import { type Level, RULES } from '../../core/check/rule-list.ts';
import packageJson from '../../package.json' with { type: 'json' };

/** SARIF 2.1.0: what code hosts show beside the lines of a change. https://docs.oasis-open.org/sarif/sarif/v2.1.0/ */
export interface SarifLog {
  $schema: string;
  version: '2.1.0';
  runs: SarifRun[];
}

interface SarifRun {
  tool: { driver: { name: string; version: string; rules: SarifRule[] } };
  originalUriBaseIds: { ROOT: { uri: string } };
  columnKind: 'utf16CodeUnits';
  results: SarifResult[];
}

interface SarifRule {
  id: string;
  shortDescription: { text: string };
  defaultConfiguration: { level: Level };
}

interface SarifResult {
  ruleId: string;
  ruleIndex: number;
  level: Level;
  message: { text: string };
  locations: {
    physicalLocation: {
      artifactLocation: { uri: string; uriBaseId: 'ROOT' };
      region?: { startLine: number; startColumn?: number };
    };
  }[];
  partialFingerprints: { 'cofferFinding/v1': string };
}

/** `root` is the folder to which the findings' files are relative. */
export function sarifOf(findings: readonly Finding[], root: string): SarifLog {
  const rules = rulesOf(findings);
  const index = new Map(rules.map(({ id }, at) => [id, at]));
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'coffer', version: packageJson.version, rules } },
        originalUriBaseIds: { ROOT: { uri: `${pathToFileURL(root).href.replace(/\/$/, '')}/` } },
        columnKind: 'utf16CodeUnits',
        results: findings.map((found) => resultOf(found, index.get(found.rule) ?? -1)),
      },
    ],
  };
}

/** All rules of the check, and the codes of problems of form that were found. */
function rulesOf(findings: readonly Finding[]): SarifRule[] {
  const rules = new Map<string, SarifRule>();
  for (const [id, { level, summary }] of Object.entries(RULES)) rules.set(id, rule(id, level, summary));
  for (const found of findings) {
    if (!rules.has(found.rule)) rules.set(found.rule, rule(found.rule, found.level, found.message));
  }
  return [...rules.values()];
}

function rule(id: string, level: Level, text: string): SarifRule {
  return { id, shortDescription: { text }, defaultConfiguration: { level } };
}

function resultOf(found: Finding, ruleIndex: number): SarifResult {
  const { rule, level, message, advice, data } = found;
  const region =
    data.line === undefined
      ? undefined
      : { startLine: data.line, ...(data.column === undefined ? {} : { startColumn: data.column }) };
  return {
    ruleId: rule,
    ruleIndex,
    level,
    message: { text: `${message}. ${advice}` },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: data.file.split('/').map(encodeURIComponent).join('/'), uriBaseId: 'ROOT' },
          ...(region === undefined ? {} : { region }),
        },
      },
    ],
    partialFingerprints: { 'cofferFinding/v1': fingerprint(found) },
  };
}

/** The same finding in the next run although its line moved. */
function fingerprint({ rule, data, trust }: Finding): string {
  const { file, namespace, name, entry, recipient, workload, dataKeyId, commit } = data;
  const parts = [rule, file, namespace, name, entry, recipient, workload, dataKeyId].map((part) => part ?? '');
  return [...parts, ...(trust === undefined ? [] : [commit, trust.aspect])].join(':');
}
