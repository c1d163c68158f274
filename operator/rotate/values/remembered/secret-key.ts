/** `SOURCE NAMESPACE/NAME`: a secret among those of all sources. */
export function secretKey(source: string, { namespace, name }: { namespace: string; name: string }): string {
  return `${source} ${namespace}/${name}`;
}
