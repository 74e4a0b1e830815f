{{/* Pod spec of the run and of `helm test`, so that both have the same permissions. Takes root, args, resources, isRun. */}}
{{- define "pcc-training-job.podSpec" -}}
{{- $values := .root.Values -}}
restartPolicy: Never
serviceAccountName: {{ include "pcc-training-job.serviceAccountName" .root | quote }}
automountServiceAccountToken: false
# otherwise a Service named pcc-job would set PCC_JOB_* variables, which the job rejects
enableServiceLinks: false
terminationGracePeriodSeconds: {{ int64 $values.job.terminationGracePeriodSeconds }}
securityContext:
  runAsNonRoot: true
  seccompProfile:
    type: RuntimeDefault
  {{- range $key, $value := $values.podSecurityContext }}
  {{- if not (or (kindIs "invalid" $value) (eq (toJson $value) "[]")) }}
  {{ $key }}: {{ toJson $value }}
  {{- end }}
  {{- end }}
{{- with $values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with $values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
containers:
  - name: job
    image: {{ include "pcc-training-job.image" .root | quote }}
    imagePullPolicy: {{ $values.image.pullPolicy }}
    args:
      {{- toYaml .args | nindent 6 }}
    env:
      {{- include "pcc-training-job.env" . | trim | nindent 6 }}
    {{- with $values.extraEnvFrom }}
    envFrom:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    resources:
      {{- toYaml .resources | nindent 6 }}
    # the job writes its outcome there; if the container fails without one, Kubernetes uses its last log lines
    terminationMessagePath: /dev/termination-log
    terminationMessagePolicy: FallbackToLogsOnError
    securityContext:
      allowPrivilegeEscalation: false
      privileged: false
      readOnlyRootFilesystem: true
      capabilities:
        drop:
          - ALL
    volumeMounts:
      {{- include "pcc-training-job.volumeMounts" .root | nindent 6 }}
volumes:
  {{- include "pcc-training-job.volumes" .root | nindent 2 }}
{{- end -}}

{{- define "pcc-training-job.env" -}}
{{- $values := .root.Values -}}
{{- with $values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- with $values.caBundle }}
{{- if or .existingConfigMap .existingSecret }}
- name: AWS_CA_BUNDLE
  value: /etc/pcc-job-ca/ca.crt
{{- end }}
{{- end }}
{{- with $values.credentials }}
{{- if .existingSecret }}
{{- $keys := dict "AWS_ACCESS_KEY_ID" .accessKeyIdKey "AWS_SECRET_ACCESS_KEY" .secretAccessKeyKey }}
{{- if .sessionTokenKey }}{{- $_ := set $keys "AWS_SESSION_TOKEN" .sessionTokenKey }}{{- end }}
{{- $secret := .existingSecret }}
{{- range $name, $key := $keys }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef:
      name: {{ $secret | quote }}
      key: {{ $key | quote }}
{{- end }}
{{- end }}
{{- end }}
{{- if $values.lineage.existingSecret }}
- name: PCC_JOB_LINEAGE__KEY_FILE
  value: /etc/pcc-job-lineage/keys
{{- end }}
- name: TMPDIR_LIMIT_BYTES
  value: {{ include "pcc-training-job.bytes" $values.tmp.sizeLimit | quote }}
{{- if .isRun }}
- name: NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
- name: JOB_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.labels['batch.kubernetes.io/job-name']
- name: JOB_UID
  valueFrom:
    fieldRef:
      fieldPath: metadata.labels['batch.kubernetes.io/controller-uid']
{{- end }}
{{- end -}}

{{- define "pcc-training-job.volumeMounts" -}}
- name: config
  mountPath: /etc/pcc-job
  readOnly: true
- name: tmp
  mountPath: /tmp
{{- if or .Values.expectations.suites .Values.expectations.existingConfigMap }}
- name: suites
  mountPath: /suites
  readOnly: true
{{- end }}
{{- if or .Values.caBundle.existingConfigMap .Values.caBundle.existingSecret }}
- name: ca-bundle
  mountPath: /etc/pcc-job-ca
  readOnly: true
{{- end }}
{{- if .Values.lineage.existingSecret }}
- name: lineage
  mountPath: /etc/pcc-job-lineage
  readOnly: true
{{- end }}
{{- if or .Values.dataset.existingClaim .Values.dataset.volume }}
- name: {{ ternary "store" "dataset" (eq (include "pcc-training-job.isClaimShared" .) "true") }}
  mountPath: /data
  readOnly: true
  {{- with .Values.dataset.subPath }}
  subPath: {{ . | quote }}
  {{- end }}
{{- end }}
{{- if .Values.store.existingClaim }}
- name: store
  mountPath: /models
  {{- with .Values.store.subPath }}
  subPath: {{ . | quote }}
  {{- end }}
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "pcc-training-job.volumes" -}}
- name: config
  downwardAPI:
    items:
      - path: config.yaml
        fieldRef:
          fieldPath: metadata.annotations['pcc-training-job/config.yaml']
- name: tmp
  emptyDir:
    sizeLimit: {{ .Values.tmp.sizeLimit | toJson }}
{{- if .Values.expectations.existingConfigMap }}
- name: suites
  configMap:
    name: {{ .Values.expectations.existingConfigMap | quote }}
{{- else if .Values.expectations.suites }}
- name: suites
  downwardAPI:
    items:
      {{- range $name, $suite := .Values.expectations.suites }}
      - path: "{{ $name }}.json"
        fieldRef:
          fieldPath: metadata.annotations['pcc-training-job/suite.{{ $name }}.json']
      {{- end }}
{{- end }}
{{- with .Values.caBundle }}
{{- if or .existingConfigMap .existingSecret }}
- name: ca-bundle
  {{- if .existingConfigMap }}
  configMap:
    name: {{ .existingConfigMap | quote }}
  {{- else }}
  secret:
    secretName: {{ .existingSecret | quote }}
  {{- end }}
    items:
      - key: {{ .key | quote }}
        path: ca.crt
{{- end }}
{{- end }}
{{- with .Values.lineage }}
{{- if .existingSecret }}
- name: lineage
  secret:
    secretName: {{ .existingSecret | quote }}
    defaultMode: 0400
    items:
      - key: {{ .secretKey | quote }}
        path: keys
{{- end }}
{{- end }}
{{- if not (include "pcc-training-job.isClaimShared" .) }}
{{- with .Values.dataset }}
{{- if .existingClaim }}
- name: dataset
  persistentVolumeClaim:
    claimName: {{ .existingClaim | quote }}
    readOnly: true
{{- else if .volume }}
- name: dataset
  {{- toYaml .volume | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}
{{- if .Values.store.existingClaim }}
- name: store
  persistentVolumeClaim:
    claimName: {{ .Values.store.existingClaim | quote }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}
