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

{{- define "coffer.checkValues" -}}
{{- if not .Values.cluster }}{{ fail "cluster is missing: the name that this cluster has as a recipient, such as production" }}{{ end -}}
{{- if not .Values.sources }}{{ fail "sources is empty: name at least one git repository, or encryptedSecrets" }}{{ end -}}
{{- if not .Values.namespaces }}{{ fail "namespaces is empty: name those that secrets may go to" }}{{ end -}}
{{- if not .Values.clusterWide }}
{{- range .Values.namespaces }}
{{- if include "coffer.isGlob" . }}{{ fail (printf "namespaces has the glob %s: that takes clusterWide: true, since a Role stands in one namespace" .) }}{{ end -}}
{{- end }}
{{- end }}
{{- end }}
