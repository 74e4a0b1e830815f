{{/* What a schema cannot say: values that contradict each other are refused before anything is installed. */}}
{{- define "pcc-training-job.checks" -}}
{{- $config := .Values.config -}}
{{- $dataset := $config.dataset | default dict -}}
{{- $store := $config.store | default dict -}}
{{- if regexMatch `://[^/"\s]*@` (toRawJson $config) -}}
{{- fail "config holds a credential in an address: everybody who may read Jobs can read it; use credentials.existingSecret or extraEnvFrom" -}}
{{- end -}}
{{- if and .Values.dataset.existingClaim .Values.dataset.volume -}}
{{- fail "dataset.existingClaim and dataset.volume both want /data: set one" -}}
{{- end -}}
{{- if and .Values.caBundle.existingConfigMap .Values.caBundle.existingSecret -}}
{{- fail "caBundle.existingConfigMap and caBundle.existingSecret: set one" -}}
{{- end -}}
{{- if not $store.uri -}}
{{- fail "config.store.uri is not set: give s3://bucket/prefix, or /models with store.existingClaim" -}}
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
{{- fail (printf "config.s3.endpoint_url is '%s': it begins with http:// or https://, then a host, as in http://minio:9000" .) -}}
{{- end -}}
{{- end -}}
{{- include "pcc-training-job.checkSize" . -}}
{{- include "pcc-training-job.checkSuites" . -}}
{{- include "pcc-training-job.checkEnv" . -}}
{{- with .Values.prometheusRule -}}
{{- if and .enabled (lt (int $.Values.cronJob.failedJobsHistoryLimit) (int .repeatedFailure.count)) -}}
{{- fail "prometheusRule.repeatedFailure.count is more than cronJob.failedJobsHistoryLimit keeps: the alert could never fire" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A path that no volume holds is lost with the pod, or never there. Takes root, key, URI. */}}
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
{{- fail (printf "%s is '%s', but no volume is mounted there: use s3://, dataset.existingClaim or dataset.volume for /data, store.existingClaim for /models, or extraVolumeMounts" (index . 1) $uri) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The API server takes 262144 bytes of annotations, keys too; some are left for those of the cluster's own plugins. */}}
{{- define "pcc-training-job.checkSize" -}}
{{- $limit := 258048 -}}
{{- $size := 0 -}}
{{- range $key, $value := include "pcc-training-job.podAnnotations" . | fromYaml -}}
{{- $size = add $size (len $key) (len $value) -}}
{{- end -}}
{{- if gt (int $size) $limit -}}
{{- fail (printf "config, expectations.suites and podAnnotations come to %d bytes of annotations, indented as they are kept; a pod may have %d: give large suites by expectations.existingConfigMap" $size $limit) -}}
{{- end -}}
{{- end -}}

{{- define "pcc-training-job.checkSuites" -}}
{{- $suite := (.Values.config.expectations | default dict).suite | default "" -}}
{{- $inline := .Values.expectations.suites -}}
{{- if and $inline .Values.expectations.existingConfigMap -}}
{{- fail "expectations.suites and expectations.existingConfigMap both want /suites: set one" -}}
{{- end -}}
{{- if and (or $inline .Values.expectations.existingConfigMap) (not (hasPrefix "/suites/" $suite)) -}}
{{- fail "there are suites of your own, but config.expectations.suite names none of them: set it to /suites/<name>.json" -}}
{{- end -}}
{{- if and $inline (not (hasKey $inline (trimSuffix ".json" (trimPrefix "/suites/" $suite)))) -}}
{{- fail (printf "config.expectations.suite is '%s', but expectations.suites has only: %s" $suite (keys $inline | sortAlpha | join ", ")) -}}
{{- end -}}
{{- if hasPrefix "/" $suite -}}
{{- include "pcc-training-job.checkPath" (list . "config.expectations.suite" $suite) -}}
{{- end -}}
{{- end -}}

{{/* Of two variables with one name the API server keeps both, and `helm upgrade` mixes them up. */}}
{{- define "pcc-training-job.checkEnv" -}}
{{- $seen := dict -}}
{{- range (include "pcc-training-job.env" (dict "root" . "isRun" true) | fromYamlArray) -}}
{{- if hasKey $seen .name -}}
{{- fail (printf "extraEnv: %s is there twice, or is the chart's own" .name) -}}
{{- end -}}
{{- $_ := set $seen .name true -}}
{{- end -}}
{{- end -}}
