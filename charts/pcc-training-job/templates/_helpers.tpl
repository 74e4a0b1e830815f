{{/* A CronJob's name has at most 52 characters: the controller adds eleven for the Job. */}}
{{- define "pcc-training-job.fullname" -}}
{{- $name := .Values.nameOverride | default .Chart.Name -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Labels that select the pods of this release. */}}
{{- define "pcc-training-job.selectorLabels" -}}
app.kubernetes.io/name: {{ .Values.nameOverride | default .Chart.Name | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "pcc-training-job.labels" -}}
{{- $own := include "pcc-training-job.selectorLabels" . | fromYaml -}}
{{- $_ := set $own "app.kubernetes.io/version" (.Chart.AppVersion | replace "+" "_" | trunc 63) -}}
{{- $_ := set $own "app.kubernetes.io/component" "training" -}}
{{- $_ := set $own "app.kubernetes.io/part-of" "pcc" -}}
{{- $_ := set $own "app.kubernetes.io/managed-by" .Release.Service -}}
{{- $_ := set $own "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-") -}}
{{- merge $own .Values.commonLabels | toYaml -}}
{{- end -}}

{{- define "pcc-training-job.podLabels" -}}
{{- merge (include "pcc-training-job.labels" . | fromYaml) .Values.podLabels | toYaml -}}
{{- end -}}

{{/* The settings and suites are in the pod template, so that the retries of a Job have the same ones as its first pod. */}}
{{- define "pcc-training-job.podAnnotations" -}}
{{- $own := dict "pcc-training-job/config.yaml" (toPrettyJson .Values.config) -}}
{{- range $name, $suite := .Values.expectations.suites -}}
{{- $_ := set $own (printf "pcc-training-job/suite.%s.json" $name) (toPrettyJson $suite) -}}
{{- end -}}
{{- merge $own .Values.podAnnotations | toYaml -}}
{{- end -}}

{{- define "pcc-training-job.metadata" -}}
labels:
  {{- include "pcc-training-job.labels" . | nindent 2 }}
{{- with .Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Converts a Kubernetes quantity to bytes, because the job cannot see the limit of an emptyDir. */}}
{{- define "pcc-training-job.bytes" -}}
{{- $unit := "" -}}
{{- $number := . -}}
{{- if kindIs "string" . -}}
{{- $unit = regexFind "[A-Za-z]*$" . -}}
{{- $number = trimSuffix $unit . -}}
{{- end -}}
{{- $factors := dict "" 1 "m" 0.001 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "E" 1e18 -}}
{{- range $power, $name := list "Ki" "Mi" "Gi" "Ti" "Pi" "Ei" -}}
{{- $factor := 1 -}}
{{- range until (int (add1 $power)) }}{{ $factor = mul $factor 1024 }}{{ end -}}
{{- $_ := set $factors $name $factor -}}
{{- end -}}
{{- mulf (float64 $number) (get $factors $unit) | floor | int64 -}}
{{- end -}}

{{/* If both use one claim, there is one volume: a pod with two volumes of the same claim never starts. */}}
{{- define "pcc-training-job.isClaimShared" -}}
{{- if and .Values.dataset.existingClaim (eq .Values.dataset.existingClaim .Values.store.existingClaim) }}true{{ end -}}
{{- end -}}

{{/* The digest replaces the tag: with both, the tag would have no effect. */}}
{{- define "pcc-training-job.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{- define "pcc-training-job.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "pcc-training-job.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}
