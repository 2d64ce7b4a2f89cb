# What runs, where, on which data. Sizes and counts: variables-services.tf; what watches over it: variables-watch.tf.

variable "name" {
  description = "Prefix of every resource's name: cluster, roles, log groups, alarms."
  type        = string
  default     = "headcount"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 32 lower-case letters, digits and hyphens, and begin with a letter."
  }
}

variable "images" {
  description = "Image of each service, with its tag or digest: built for linux/arm64 from docker/Dockerfile."
  type = object({
    consumer         = string
    level_aggregator = string
    pruner           = string
    game_map         = optional(string)
  })

  validation {
    condition     = alltrue([for image in compact(values(var.images)) : can(regex("^[^\\s:@]+(:[0-9]+/[^\\s:@]+)?(:[\\w][\\w.-]{0,127})?(@sha256:[0-9a-f]{64})?$", image))])
    error_message = "images must be image references such as 123456789012.dkr.ecr.eu-west-1.amazonaws.com/headcount-consumer:1.0.0."
  }

  validation {
    condition     = alltrue([for image in compact(values(var.images)) : can(regex("(:[^/]+|@sha256:.+)$", image)) && !endswith(image, ":latest")])
    error_message = "images must name a fixed tag or a digest: with latest or no tag a rollback would start what it rolls back from."
  }
}

variable "vpc_id" {
  description = "VPC in which the tasks run."
  type        = string

  validation {
    condition     = can(regex("^vpc-[0-9a-f]+$", var.vpc_id))
    error_message = "vpc_id must look like vpc-0123456789abcdef0."
  }
}

variable "subnet_ids" {
  description = "Private subnets for the tasks, best in two or more zones, with a way to AWS's endpoints: NAT or VPC endpoints (docs/aws.md lists them)."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) > 0 && alltrue([for id in var.subnet_ids : can(regex("^subnet-[0-9a-f]+$", id))])
    error_message = "subnet_ids must name at least one subnet, each like subnet-0123456789abcdef0."
  }
}

variable "create_events_stream" {
  description = "Whether to make the Kinesis stream of the enriched events; false: it exists, as your Snowplow pipeline's."
  type        = bool
  default     = true
}

variable "events_stream_name" {
  description = "Name of the Kinesis stream with the enriched events (TSV), in this account and region."
  type        = string
  default     = "enriched-good"

  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]{3,128}$", var.events_stream_name))
    error_message = "events_stream_name must be a stream's name of 3 to 128 letters, digits, dots, hyphens and underscores, not its ARN."
  }
}

variable "events_stream_shards" {
  description = "Shards of the stream that is made: 1 MB/s or 1,000 records a second each. Ignored for an existing one."
  type        = number
  default     = 2

  validation {
    condition     = var.events_stream_shards >= 1 && var.events_stream_shards <= 500 && floor(var.events_stream_shards) == var.events_stream_shards
    error_message = "events_stream_shards must be a whole number from 1 to 500."
  }
}

variable "events_stream_retention_hours" {
  description = "How long the stream that is made keeps events: how long the consumer may be down without a loss."
  type        = number
  default     = 48

  validation {
    condition     = var.events_stream_retention_hours >= 24 && var.events_stream_retention_hours <= 8760
    error_message = "events_stream_retention_hours must lie between 24 and 8760 (a year)."
  }
}

variable "events_stream_kms_key_arn" {
  description = "Customer key that an existing stream is encrypted with; the consumer may then decrypt with it. Null: none, or AWS's own."
  type        = string
  default     = null

  validation {
    condition     = var.events_stream_kms_key_arn == null || can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/", var.events_stream_kms_key_arn))
    error_message = "events_stream_kms_key_arn must be a key's ARN: arn:aws:kms:<region>:<account>:key/<id>; an alias does not do in a policy."
  }

  validation {
    condition     = var.events_stream_kms_key_arn == null || !var.create_events_stream
    error_message = "events_stream_kms_key_arn is for an existing stream; one that is made is encrypted with kms_key_arn."
  }
}

variable "table_names" {
  description = "Names of the DynamoDB tables: unique per account and region, so a second deployment needs others."
  type = object({
    player      = optional(string, "PlayerState")
    level       = optional(string, "LevelState")
    transitions = optional(string, "Transitions")
    progress    = optional(string, "StreamProgress")
    history     = optional(string, "LevelHistory")
    dead_letter = optional(string, "DeadLetters")
  })
  default = {}

  validation {
    condition     = alltrue([for table in values(var.table_names) : can(regex("^[A-Za-z0-9_.-]{3,255}$", table))])
    error_message = "table_names must have 3 to 255 letters, digits, dots, hyphens and underscores each."
  }

  validation {
    condition     = length(distinct(values(var.table_names))) == 6
    error_message = "table_names must all differ: each table needs its own."
  }
}

variable "application" {
  description = "HEADCOUNT_APPLICATION: prefix of the KCL's application names, and so of its tables. Another one begins anew."
  type        = string
  default     = "headcount"

  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]{3,200}$", var.application))
    error_message = "application must have 3 to 200 letters, digits, dots, hyphens and underscores."
  }
}

variable "create_kcl_tables" {
  description = "Whether to make the KCL's tables here, so that they go with the rest; false: the services make them at their first start."
  type        = bool
  default     = true
}

variable "app_ids" {
  description = "HEADCOUNT_APP_IDS: the app_ids whose events count; empty: all apps."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for id in var.app_ids : can(regex("^[^,\\s]+$", id))])
    error_message = "app_ids must be a list of ids without commas or white space in them."
  }
}

variable "settings" {
  description = "Further settings by their name in docs/configuration.md, for example { HEADCOUNT_IDLE_TIMEOUT_SECONDS = \"120\" }."
  type        = map(string)
  default     = {}

  validation {
    condition     = length(setsubtract(keys(var.settings), local.setting_names.free)) == 0
    error_message = "settings has names that are no setting to be given here: ${join(", ", setsubtract(keys(var.settings), local.setting_names.free))}. See docs/configuration.md; names, tables, ports and worker ids are this module's."
  }
}

variable "kms_key_arn" {
  description = "Customer KMS key for the tables and for the stream that is made. Null: keys of AWS's."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/", var.kms_key_arn))
    error_message = "kms_key_arn must be a key's ARN: arn:aws:kms:<region>:<account>:key/<id>; an alias does not do in a policy."
  }
}

variable "point_in_time_recovery" {
  description = "Whether the tables can be restored to any second of the last 35 days."
  type        = bool
  default     = true
}

variable "deletion_protection" {
  description = "Whether AWS refuses to delete the six data tables. Set it to false, and apply, before a destroy."
  type        = bool
  default     = true
}

variable "permissions_boundary_arn" {
  description = "Permissions boundary for the roles that are made. Null: none."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags for everything that is made, besides application and cost_tag."
  type        = map(string)
  default     = {}
}
