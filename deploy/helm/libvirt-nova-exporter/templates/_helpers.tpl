{{- define "exporter.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "exporter.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains (include "exporter.name" .) .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "exporter.name" .) | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "exporter.selectorLabels" -}}
app.kubernetes.io/name: {{ include "exporter.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "exporter.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "exporter.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "exporter.image" -}}
{{- $repository := required "image.repository is not set: it is your registry's name for the image, as registry.example.org/monitoring/libvirt-nova-exporter" .Values.image.repository }}
{{- if .Values.image.digest }}
{{- printf "%s@%s" $repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" $repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{- /* A flag's variable: collector.block-limits is LIBVIRT_NOVA_COLLECTOR_BLOCK_LIMITS. */}}
{{- define "exporter.variable" -}}
{{- printf "LIBVIRT_NOVA_%s" (. | upper | replace "." "_" | replace "-" "_") }}
{{- end }}

{{- /* What a probe asks. With a password or a client's certificate, its question would be refused. */}}
{{- define "exporter.alive" -}}
{{- if or .Values.web.config.basic_auth_users (dig "tls_server_config" "client_auth_type" "" .Values.web.config) -}}
tcpSocket:
  port: metrics
{{- else -}}
httpGet:
  path: /-/healthy
  port: metrics
  scheme: {{ hasKey .Values.web.config "tls_server_config" | ternary "HTTPS" "HTTP" }}
{{- end }}
{{- end }}
