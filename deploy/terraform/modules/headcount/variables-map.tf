# The game map, for people: optional.

variable "game_map" {
  description = "The map, behind a load balancer of its own that speaks HTTPS. certificate_arn: of ACM, in this region; subnet_ids: for the load balancer, in two zones, public unless internal; client_cidrs: who may look; proxies: 2 where a CDN of yours stands before it; snapshots: the bucket, which is there, in this region, that the two files are published to, what their names begin with, and the customer key that it is encrypted with if there is one. Null: no map."
  type = object({
    certificate_arn = string
    subnet_ids      = list(string)
    client_cidrs    = list(string)
    tasks           = optional(number, 1)
    internal        = optional(bool, false)
    proxies         = optional(number, 1)
    snapshots = optional(object({
      bucket      = string
      prefix      = optional(string, "")
      kms_key_arn = optional(string)
    }))
  })
  default = null

  validation {
    condition     = var.game_map == null || var.images.game_map != null
    error_message = "game_map needs images.game_map."
  }

  validation {
    condition     = var.game_map == null || can(regex("^arn:[a-z-]+:acm:[a-z0-9-]+:[0-9]{12}:certificate/", var.game_map.certificate_arn))
    error_message = "game_map.certificate_arn must be a certificate's ARN: arn:aws:acm:<region>:<account>:certificate/<id>."
  }

  validation {
    condition     = var.game_map == null || try(length(distinct(var.game_map.subnet_ids)) >= 2 && alltrue([for id in var.game_map.subnet_ids : can(regex("^subnet-[0-9a-f]+$", id))]), false)
    error_message = "game_map.subnet_ids must name two subnets or more, each like subnet-0123456789abcdef0: a load balancer stands in two zones."
  }

  validation {
    condition     = var.game_map == null || try(length(var.game_map.client_cidrs) > 0 && alltrue([for cidr in var.game_map.client_cidrs : can(cidrnetmask(cidr))]), false)
    error_message = "game_map.client_cidrs must be IPv4 ranges such as 203.0.113.0/24; 0.0.0.0/0 lets everybody look."
  }

  validation {
    condition     = var.game_map == null || try(contains(range(1, 51), var.game_map.tasks), false)
    error_message = "game_map.tasks must be a whole number from 1 to 50."
  }

  validation {
    condition     = var.game_map == null || try(contains(range(1, 11), var.game_map.proxies), false)
    error_message = "game_map.proxies must be a whole number from 1 to 10: the load balancer is one."
  }

  validation {
    condition     = try(var.game_map.snapshots, null) == null || can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.game_map.snapshots.bucket))
    error_message = "game_map.snapshots.bucket must be an S3 bucket's name of 3 to 63 lower-case letters, digits, dots and hyphens, not its ARN."
  }

  # A star or a question mark in a policy's resource would stand for other objects, too.
  validation {
    condition     = try(var.game_map.snapshots, null) == null || can(regex("^[A-Za-z0-9!_.'()/-]{0,900}$", var.game_map.snapshots.prefix))
    error_message = "game_map.snapshots.prefix must have letters, digits and !_.'()/- only, such as live/."
  }

  validation {
    condition     = try(var.game_map.snapshots.kms_key_arn, null) == null || can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/", var.game_map.snapshots.kms_key_arn))
    error_message = "game_map.snapshots.kms_key_arn must be a key's ARN: arn:aws:kms:<region>:<account>:key/<id>; an alias does not do in a policy."
  }
}
