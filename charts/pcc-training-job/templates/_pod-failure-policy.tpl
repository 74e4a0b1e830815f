{{/* Generated from job/errors.py by scripts/generate_chart.py. */}}
{{- define "pcc-training-job.podFailurePolicy" -}}
rules:
  # must be the first rule: an evicted, drained or preempted pod has not failed by itself
  - action: Ignore
    onPodConditions:
      - type: DisruptionTarget
        status: "True"
  - action: FailJob
    onExitCodes:
      containerName: job
      operator: In
      values: [2, 3, 4, 5, 6, 7, 8, 130]
  # the default for any other code; listed so that each documented code has a rule
  - action: Count
    onExitCodes:
      containerName: job
      operator: In
      values: [1, 75, 143]
{{- end -}}
