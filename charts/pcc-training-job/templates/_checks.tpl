{{/* Rules between values, which the schema cannot check; invalid values are rejected before anything is installed. */}}
{{- define "pcc-training-job.checks" -}}
{{- $config := .Values.config -}}
{{- $dataset := $config.dataset | default dict -}}
{{- $store := $config.store | default dict -}}
{{- if regexMatch `://[^/"\s]*@` (toRawJson $config) -}}
{{- fail "config has a credential in an address, which everyone with permission to read Jobs can read; use credentials.existingSecret or extraEnvFrom" -}}
{{- end -}}
{{- if and .Values.dataset.existingClaim .Values.dataset.volume -}}
{{- fail "dataset.existingClaim and dataset.volume are both mounted at /data: set only one" -}}
{{- end -}}
{{- if and .Values.caBundle.existingConfigMap .Values.caBundle.existingSecret -}}
{{- fail "caBundle.existingConfigMap and caBundle.existingSecret are both set: set only one" -}}
{{- end -}}
{{- if not $store.uri -}}
{{- fail "config.store.uri is not set: use --set config.store.uri=s3://bucket/prefix, or /models with store.existingClaim" -}}
{{- end -}}
{{- include "pcc-training-job.checkPath" (list . "config.store.uri" ($store.uri | default "s3://unset")) -}}
{{- include "pcc-training-job.checkPath" (list . "config.dataset.uri" ($dataset.uri | default "/data/curated_training_data.parquet")) -}}
{{- with $dataset.test_uri -}}
{{- include "pcc-training-job.checkPath" (list $ "config.dataset.test_uri" .) -}}
{{- end -}}
{{- with ($config.evaluation | default dict).challenge_uri -}}
{{- include "pcc-training-job.checkPath" (list $ "config.evaluation.challenge_uri" .) -}}
{{- end -}}
{{- with ($config.evaluation | default dict).out_of_scope_uri -}}
{{- include "pcc-training-job.checkPath" (list $ "config.evaluation.out_of_scope_uri" .) -}}
{{- end -}}
{{- with ($config.s3 | default dict).endpoint_url -}}
{{- if not (regexMatch `^https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]+)?(/[^\s%]*)?$` .) -}}
{{- fail (printf "config.s3.endpoint_url is '%s': expected http:// or https:// and a host, as in http://minio:9000" .) -}}
{{- end -}}
{{- end -}}
{{- include "pcc-training-job.checkSize" . -}}
{{- include "pcc-training-job.checkSuites" . -}}
{{- include "pcc-training-job.checkEnv" . -}}
{{- include "pcc-training-job.checkLineage" . -}}
{{- with .Values.prometheusRule -}}
{{- if and .enabled (lt (int $.Values.cronJob.failedJobsHistoryLimit) (int .repeatedFailure.count)) -}}
{{- fail "prometheusRule.repeatedFailure.count is larger than cronJob.failedJobsHistoryLimit, so the alert could never fire: raise the limit, or lower the count" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A path must be in a mounted volume: otherwise it does not exist, or is lost with the pod. Takes root, key, URI. */}}
{{- define "pcc-training-job.checkPath" -}}
{{- $root := index . 0 -}}
{{- $uri := index . 2 -}}
{{- if not (hasPrefix "s3://" $uri) -}}
{{- $path := trimPrefix "file://" $uri -}}
{{- $found := dict -}}
{{- range (include "pcc-training-job.volumeMounts" $root | fromYamlArray) -}}
{{- if and (ne .name "tmp") (or (eq $path .mountPath) (hasPrefix (printf "%s/" (trimSuffix "/" .mountPath)) $path)) -}}
{{- $_ := set $found "mount" .name -}}
{{- end -}}
{{- end -}}
{{- if not $found.mount -}}
{{- fail (printf "%s is '%s', but no volume is mounted there: use an s3:// URI, or mount a volume with dataset.existingClaim or dataset.volume (/data), store.existingClaim (/models) or extraVolumeMounts" (index . 1) $uri) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The API server accepts 262144 bytes of annotations, including keys; the rest is for those of cluster plugins. */}}
{{- define "pcc-training-job.checkSize" -}}
{{- $limit := 258048 -}}
{{- $size := 0 -}}
{{- range $key, $value := include "pcc-training-job.podAnnotations" . | fromYaml -}}
{{- $size = add $size (len $key) (len $value) -}}
{{- end -}}
{{- if gt (int $size) $limit -}}
{{- fail (printf "config, expectations.suites and podAnnotations come to %d bytes of annotations (as indented JSON), but a pod can have at most %d: move large suites to expectations.existingConfigMap" $size $limit) -}}
{{- end -}}
{{- end -}}

{{- define "pcc-training-job.checkSuites" -}}
{{- $suite := (.Values.config.expectations | default dict).suite | default "" -}}
{{- $inline := .Values.expectations.suites -}}
{{- if and $inline .Values.expectations.existingConfigMap -}}
{{- fail "expectations.suites and expectations.existingConfigMap are both mounted at /suites: set only one" -}}
{{- end -}}
{{- if and (or $inline .Values.expectations.existingConfigMap) (not (hasPrefix "/suites/" $suite)) -}}
{{- fail "expectations.suites or expectations.existingConfigMap is set, but config.expectations.suite does not name a suite in it: set it to /suites/<name>.json" -}}
{{- end -}}
{{- if and $inline (not (hasKey $inline (trimSuffix ".json" (trimPrefix "/suites/" $suite)))) -}}
{{- fail (printf "config.expectations.suite is '%s', but expectations.suites has only: %s" $suite (keys $inline | sortAlpha | join ", ")) -}}
{{- end -}}
{{- if hasPrefix "/" $suite -}}
{{- include "pcc-training-job.checkPath" (list . "config.expectations.suite" $suite) -}}
{{- end -}}
{{- end -}}

{{/* The API server accepts duplicate variables, but `helm upgrade` mixes them up. */}}
{{- define "pcc-training-job.checkEnv" -}}
{{- $seen := dict -}}
{{- range (include "pcc-training-job.env" (dict "root" . "isRun" true) | fromYamlArray) -}}
{{- if hasKey $seen .name -}}
{{- fail (printf "extraEnv: %s is duplicate, or is set by the chart; remove it" .name) -}}
{{- end -}}
{{- $_ := set $seen .name true -}}
{{- end -}}
{{- end -}}

{{/* The job accepts keys from one place only. */}}
{{- define "pcc-training-job.checkLineage" -}}
{{- if .Values.lineage.existingSecret -}}
{{- if (.Values.config.lineage | default dict).key_file -}}
{{- fail "lineage.existingSecret and config.lineage.key_file are both set: set only one" -}}
{{- end -}}
{{- range .Values.extraEnv -}}
{{- if eq .name "PCC_JOB_LINEAGE_KEY" -}}
{{- fail "lineage.existingSecret and PCC_JOB_LINEAGE_KEY in extraEnv are both set: set only one" -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
