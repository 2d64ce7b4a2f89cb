variable "region" {
  description = "AWS region of the stream."
  type        = string
  default     = "eu-west-1"
}

variable "images" {
  description = "Image of each service, with its tag or digest."
  type = object({
    consumer         = string
    level_aggregator = string
    pruner           = string
    game_map         = optional(string)
  })
}

variable "vpc_id" {
  description = "VPC to run in."
  type        = string
}

variable "private_subnet_ids" {
  description = "Private subnets with a way to AWS's endpoints."
  type        = list(string)
}

variable "events_stream_name" {
  description = "Name of the stream that Snowplow Enrich writes to."
  type        = string
}

variable "events_stream_kms_key_arn" {
  description = "Customer key of that stream; null: none."
  type        = string
  default     = null
}

variable "prometheus_security_group_id" {
  description = "Security group of the Prometheus that scrapes."
  type        = string
}

variable "alarm_topic_arns" {
  description = "SNS topics for alarms."
  type        = list(string)
  default     = []
}
