{{/* Generated from job/errors.py by scripts/generate_chart.py. */}}
{{- define "pcc-training-job.podFailurePolicy" -}}
rules:
  # first, as the first rule that fits decides: who is evicted, drained or preempted has no verdict
  - action: Ignore
    onPodConditions:
      - type: DisruptionTarget
        status: "True"
  - action: FailJob
    onExitCodes:
      containerName: job
      operator: In
      values: [2, 3, 4, 5, 6, 7, 8, 130]
  # as any other code would be: said, so that each code of the table has its rule
  - action: Count
    onExitCodes:
      containerName: job
      operator: In
      values: [1, 75, 143]
{{- end -}}
