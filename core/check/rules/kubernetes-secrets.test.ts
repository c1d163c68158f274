import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { kubernetesSecretFindings } from './kubernetes-secrets.ts';

const find = (text: string) => kubernetesSecretFindings(Buffer.from(text), 'secret.yaml');

const SECRET = 'apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: payments}\n';

describe('a Kubernetes Secret with values', () => {
  const plaintext: [string, string, number][] = [
    ['stringData', `${SECRET}stringData:\n  password: hunter2\n`, 5],
    ['data', `${SECRET}data: {password: aHVudGVyMg==}\n`, 4],
    ['a block scalar', `${SECRET}stringData:\n  ca: |\n    line\n`, 5],
    ['the second document', `kind: ConfigMap\n---\n${SECRET}data:\n  password: aHVudGVyMg==\n`, 7],
    [
      'an item of a List',
      'apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Secret\n  data:\n    password: aHVudGVyMg==\n',
      7,
    ],
    ['JSON', '{"apiVersion":"v1",\n"kind":"Secret",\n"stringData":{\n"password":"hunter2"}}', 4],
    ['some values of it sealed', `${SECRET}stringData:\n  a: ENC[AES256_GCM,data:x]\n  b: hunter2\n`, 6],
  ];
  for (const [what, text, line] of plaintext) {
    test(`in ${what} is found at its line, without the value`, () => {
      const [found, ...more] = find(text);
      assert.equal(found?.rule, 'CHECK_KUBERNETES_SECRET');
      assert.equal(found.data.line, line);
      assert.deepEqual(more, []);
      assert.ok(!JSON.stringify(found).includes('hunter2'));
    });
  }
});

describe('what is no plaintext Secret', () => {
  const harmless: [string, string][] = [
    ['no values', `${SECRET}type: kubernetes.io/service-account-token\n`],
    ['empty values', `${SECRET}data: {password: ""}\n`],
    ['sealed by sops', `${SECRET}data: {password: "ENC[AES256_GCM,data:abc=,type:str]"}\nsops: {}\n`],
    ['placeholders', `${SECRET}stringData: {a: "<path:kv/db#password>", b: "\${DB_PASSWORD}"}\n`],
    ['a SealedSecret', 'apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nspec: {encryptedData: {a: AgB}}\n'],
    ['a reference to one', 'apiVersion: v1\nkind: Pod\nspec: {volumes: [{secret: {secretName: db}}], data: Secret}\n'],
    [
      'a chart template, which is no YAML',
      `${SECRET}stringData:\n{{- range $k, $v := .Values }}\n  {{ $k }}: {{ $v }}\n`,
    ],
  ];
  for (const [what, text] of harmless) {
    test(what, () => {
      assert.deepEqual(find(text), []);
    });
  }
});
