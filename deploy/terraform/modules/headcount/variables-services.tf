# How many of each service, and how large.

variable "consumer_count" {
  description = "Fewest and most consumers. Never more than the stream has open shards: a consumer without a shard does nothing. max null: as many as shards."
  type = object({
    min = optional(number, 2)
    max = optional(number)
  })
  default = {}

  validation {
    condition     = var.consumer_count.min >= 1 && floor(var.consumer_count.min) == var.consumer_count.min
    error_message = "consumer_count.min must be a whole number of at least 1."
  }

  validation {
    condition     = var.consumer_count.max == null || coalesce(var.consumer_count.max, 0) >= var.consumer_count.min
    error_message = "consumer_count.max must not be below consumer_count.min."
  }
}

variable "level_aggregator_count" {
  description = "Level aggregators. Two survive the loss of a host; the shards of PlayerState's stream are shared out among them."
  type        = number
  default     = 2

  validation {
    condition     = var.level_aggregator_count >= 1 && var.level_aggregator_count <= 50 && floor(var.level_aggregator_count) == var.level_aggregator_count
    error_message = "level_aggregator_count must be a whole number from 1 to 50."
  }
}

variable "pruner_count" {
  description = "Pruners. One is enough; two are safe, and delete twice as fast."
  type        = number
  default     = 1

  validation {
    condition     = contains([1, 2], var.pruner_count)
    error_message = "pruner_count must be 1 or 2: each one scans the whole of PlayerState."
  }
}

variable "task_size" {
  description = "Fargate CPU units (1024 are a core) and MiB of memory of a task, per service."
  type = object({
    consumer         = optional(object({ cpu = number, memory = number }), { cpu = 512, memory = 2048 })
    level_aggregator = optional(object({ cpu = number, memory = number }), { cpu = 512, memory = 1024 })
    pruner           = optional(object({ cpu = number, memory = number }), { cpu = 256, memory = 512 })
    game_map         = optional(object({ cpu = number, memory = number }), { cpu = 256, memory = 512 })
  })
  default = {}

  validation {
    condition = alltrue([
      for size in values(var.task_size) : contains(lookup({
        256  = [512, 1024, 2048]
        512  = range(1024, 4097, 1024)
        1024 = range(2048, 8193, 1024)
        2048 = range(4096, 16385, 1024)
        4096 = range(8192, 30721, 1024)
      }, size.cpu, []), size.memory)
    ])
    error_message = "task_size must be a pair that Fargate has: 256 with 512, 1024 or 2048; 512 with 1024 to 4096; 1024 with 2048 to 8192; 2048 with 4096 to 16384; 4096 with 8192 to 30720, in steps of 1024."
  }

  validation {
    condition     = min(var.task_size.consumer.memory, var.task_size.level_aggregator.memory) >= 1024
    error_message = "task_size of consumer and level_aggregator must have at least 1024 MiB: a JVM with a heap of 256 MB, and a Python process per shard."
  }
}

variable "consumer_cpu_target" {
  description = "Average CPU use, in percent, that the number of consumers is held to."
  type        = number
  default     = 60

  validation {
    condition     = var.consumer_cpu_target >= 20 && var.consumer_cpu_target <= 90
    error_message = "consumer_cpu_target must lie between 20 and 90 percent."
  }
}

variable "consumer_scale_out_age_seconds" {
  description = "Age of the oldest unread event, for three minutes, beyond which a consumer is added."
  type        = number
  default     = 60

  validation {
    condition     = var.consumer_scale_out_age_seconds >= 10 && var.consumer_scale_out_age_seconds <= 3600
    error_message = "consumer_scale_out_age_seconds must lie between 10 and 3600."
  }
}

variable "wait_for_steady_state" {
  description = "Whether an apply waits until the services run, and fails if they don't."
  type        = bool
  default     = true
}

variable "metrics_source_security_group_id" {
  description = "Security group of your Prometheus, which may then scrape port 9464. Null: nothing may reach the tasks."
  type        = string
  default     = null

  validation {
    condition     = var.metrics_source_security_group_id == null || can(regex("^sg-[0-9a-f]+$", var.metrics_source_security_group_id))
    error_message = "metrics_source_security_group_id must look like sg-0123456789abcdef0."
  }
}

variable "dynamodb_gateway_route_table_ids" {
  description = "Route tables that get a gateway endpoint for DynamoDB (free of charge). Leave empty where the VPC has one."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for id in var.dynamodb_gateway_route_table_ids : can(regex("^rtb-[0-9a-f]+$", id))])
    error_message = "dynamodb_gateway_route_table_ids must each look like rtb-0123456789abcdef0."
  }
}
