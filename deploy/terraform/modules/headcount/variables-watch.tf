# Logs, metrics, alarms, money.

variable "log_retention_days" {
  description = "How long CloudWatch keeps the logs."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days must be a period that CloudWatch knows: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827 or more years."
  }
}

variable "log_kms_key_arn" {
  description = "Customer KMS key for the log groups; its policy must allow CloudWatch Logs. Null: CloudWatch's own encryption."
  type        = string
  default     = null

  validation {
    condition     = var.log_kms_key_arn == null || can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/", var.log_kms_key_arn))
    error_message = "log_kms_key_arn must be a key's ARN: arn:aws:kms:<region>:<account>:key/<id>."
  }
}

variable "container_insights" {
  description = "Container Insights of the cluster: enabled, enhanced or disabled. Without it there is no alarm on missing tasks."
  type        = string
  default     = "enabled"

  validation {
    condition     = contains(["enabled", "enhanced", "disabled"], var.container_insights)
    error_message = "container_insights must be enabled, enhanced or disabled."
  }
}

variable "prometheus_remote_write_url" {
  description = "Remote-write URL of an Amazon Managed Prometheus workspace of this account: each task then gets a collector that sends its metrics there."
  type        = string
  default     = null

  validation {
    condition     = var.prometheus_remote_write_url == null || can(regex("^https://aps-workspaces\\.[a-z0-9-]+\\.amazonaws\\.com/workspaces/ws-[0-9a-f-]+/api/v1/remote_write$", var.prometheus_remote_write_url))
    error_message = "prometheus_remote_write_url must look like https://aps-workspaces.<region>.amazonaws.com/workspaces/ws-<id>/api/v1/remote_write."
  }
}

variable "collector_image" {
  description = "Image of the AWS Distro for OpenTelemetry Collector, for prometheus_remote_write_url."
  type        = string
  default     = "public.ecr.aws/aws-observability/aws-otel-collector:v0.43.3"

  validation {
    condition     = can(regex("(:[^/]+|@sha256:.+)$", var.collector_image)) && !endswith(var.collector_image, ":latest")
    error_message = "collector_image must name a fixed tag or a digest."
  }
}

variable "service_discovery_namespace" {
  description = "Private DNS namespace to make, for example headcount.internal: <service>.headcount.internal then lists the tasks to scrape."
  type        = string
  default     = null

  validation {
    condition     = var.service_discovery_namespace == null || can(regex("^([a-z0-9-]+\\.)+[a-z]{2,}$", var.service_discovery_namespace))
    error_message = "service_discovery_namespace must be a domain name such as headcount.internal."
  }
}

variable "create_alarm_topic" {
  description = "Whether to make an SNS topic that the alarms go to."
  type        = bool
  default     = false
}

variable "alarm_topic_kms_key_arn" {
  description = "Customer KMS key for that topic; its policy must allow cloudwatch.amazonaws.com. Null: not encrypted, for CloudWatch can't use AWS's own key for SNS."
  type        = string
  default     = null
}

variable "alarm_emails" {
  description = "Addresses that are subscribed to that topic; each must confirm by a mail."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for address in var.alarm_emails : can(regex("^[^@\\s]+@[^@\\s]+$", address))])
    error_message = "alarm_emails must be mail addresses."
  }

  validation {
    condition     = length(var.alarm_emails) == 0 || var.create_alarm_topic
    error_message = "alarm_emails needs create_alarm_topic = true."
  }
}

variable "alarm_actions" {
  description = "ARNs of what else alarms go to: your own SNS topics."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.alarm_actions : startswith(arn, "arn:")])
    error_message = "alarm_actions must be ARNs."
  }
}

variable "alarm_age_seconds" {
  description = "Age of the oldest unread event, for ten minutes, that raises an alarm."
  type        = number
  default     = 300

  validation {
    condition     = var.alarm_age_seconds >= 10
    error_message = "alarm_age_seconds must be at least 10."
  }
}

variable "cost_tag" {
  description = "Cost-allocation tag on everything that is made. It counts in bills once activated in the billing console."
  type = object({
    key   = optional(string, "budget")
    value = optional(string, "headcount")
  })
  default = {}

  validation {
    condition     = can(regex("^[\\w.:/=+@-]{1,128}$", var.cost_tag.key)) && !startswith(lower(var.cost_tag.key), "aws:")
    error_message = "cost_tag.key must be a tag's key, and must not begin with aws:."
  }
}

variable "monthly_budget" {
  description = "Budget of the resources with cost_tag: limit in US dollars a month, and who is told at 80 % spent and 100 % forecast. Null: none."
  type = object({
    usd    = number
    emails = list(string)
  })
  default = null

  validation {
    condition     = var.monthly_budget == null || try(var.monthly_budget.usd > 0 && length(var.monthly_budget.emails) > 0, false)
    error_message = "monthly_budget needs usd above 0 and at least one address in emails."
  }
}
