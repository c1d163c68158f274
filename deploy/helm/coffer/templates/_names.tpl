{{- define "coffer.labels" -}}
app.kubernetes.io/name: coffer
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "coffer.selector" -}}
app.kubernetes.io/name: coffer
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "coffer.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* Names without a wildcard: those that a Role can be made for. */}}
{{- define "coffer.isGlob" -}}
{{- if or (contains "*" .) (contains "?" .) }}true{{ end -}}
{{- end }}

{{/* A port a line: of the git servers and proxies that the NetworkPolicy lets through. */}}
{{- define "coffer.gitPorts" -}}
{{- range .Values.git.ports }}
{{ . }}
{{- else }}
{{- range .Values.sources }}
{{- range list (dig "git" "url" "" .) (dig "git" "proxy" "" .) }}
{{- include "coffer.port" . }}
{{- end }}
{{- end }}
{{- range list .Values.proxy.https .Values.proxy.http }}
{{- include "coffer.port" . }}
{{- end }}
{{- end }}
{{- end }}

{{/* Of a URL, or of USER@HOST:PATH; nothing for a path, which is no server's. */}}
{{- define "coffer.port" -}}
{{- $ports := dict "https" "443" "http" "80" "ssh" "22" }}
{{- if contains "://" . }}
{{- $url := urlParse . }}
{{- with regexFind ":[0-9]+$" $url.host | trimPrefix ":" | default (get $ports $url.scheme) }}
{{ . }}
{{- end }}
{{- else if regexMatch "^[^/]+:" . }}
22
{{- end }}
{{- end }}

{{/* Whether there is a ConfigMap to mount at /etc/coffer/trust, and which. */}}
{{- define "coffer.trustName" -}}
{{- if .Values.trust.configMapName }}{{ .Values.trust.configMapName }}
{{- else if or .Values.trust.policySpec .Values.trust.files }}coffer-trust{{ end -}}
{{- end }}

{{- define "coffer.checkValues" -}}
{{- if not .Values.cluster }}{{ fail "cluster is missing: the name that this cluster has as a recipient, such as production" }}{{ end -}}
{{- if not .Values.sources }}{{ fail "sources is empty: name at least one git repository, or encryptedSecrets" }}{{ end -}}
{{- if not .Values.namespaces }}{{ fail "namespaces is empty: name those that secrets may go to" }}{{ end -}}
{{- $hooked := 0 }}
{{- range .Values.sources }}
{{- if dig "git" "webhook" "" . }}{{ $hooked = 1 }}{{ end -}}
{{- $policy := dig "git" "trust" "policy" "" . }}
{{- if and $policy (hasPrefix "/etc/coffer/trust/" $policy) (not (include "coffer.trustName" $)) }}{{ fail (printf "a source trusts by %s, and trust in these values is empty: give trust.policySpec, or trust.configMapName" $policy) }}{{ end -}}
{{- end }}
{{- if and $hooked (not .Values.webhooks.enabled) }}{{ fail "a source has a webhook, and nobody listens for it: that takes webhooks.enabled: true" }}{{ end -}}
{{- if and .Values.webhooks.enabled (not $hooked) }}{{ fail "webhooks.enabled is true, and no git source has a webhook: give one from and secretFile" }}{{ end -}}
{{- if and .Values.trust.configMapName (or .Values.trust.policySpec .Values.trust.files) }}{{ fail "trust.configMapName stands in place of trust.policySpec and trust.files: give it or them" }}{{ end -}}
{{- if not .Values.clusterWide }}
{{- range .Values.namespaces }}
{{- if include "coffer.isGlob" . }}{{ fail (printf "namespaces has the glob %s: that takes clusterWide: true, since a Role stands in one namespace" .) }}{{ end -}}
{{- end }}
{{- end }}
{{- end }}
