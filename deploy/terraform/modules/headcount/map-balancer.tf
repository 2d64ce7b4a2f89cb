# The game map's load balancer: HTTPS for those who may look, and nothing else.

locals {
  balancer_name = "${trimsuffix(substr(var.name, 0, 28), "-")}-map" # AWS takes 32 characters
}

resource "aws_lb" "map" {
  #checkov:skip=CKV_AWS_91:An access log would hold people's addresses. Who wants one turns it on for this ARN.
  #checkov:skip=CKV2_AWS_28:The map limits each address itself, and tells nothing of players. A web ACL is the user's choice, by the output game_map_load_balancer_arn.
  count = var.game_map == null ? 0 : 1

  name                       = local.balancer_name
  load_balancer_type         = "application"
  internal                   = var.game_map.internal
  subnets                    = var.game_map.subnet_ids
  security_groups            = [aws_security_group.map_balancer[0].id]
  idle_timeout               = 120 # a stream has an event a second; longer is a map that stands still
  drop_invalid_header_fields = true
  enable_deletion_protection = var.deletion_protection
  tags                       = local.tags
}

resource "aws_lb_target_group" "map" {
  #checkov:skip=CKV_AWS_378:Plain HTTP inside the VPC, between two security groups; the load balancer speaks TLS.
  count = var.game_map == null ? 0 : 1

  name                 = local.balancer_name
  target_type          = "ip"
  protocol             = "HTTP"
  port                 = local.map_port
  vpc_id               = var.vpc_id
  deregistration_delay = 10 # an answer takes milliseconds, and a stream that is broken off comes back by itself
  tags                 = local.tags

  # 200 once the tables have been read. A map that AWS does not answer any more stays: it shows what it knows, and how
  # old that is.
  health_check {
    path                = "/api/levels"
    matcher             = "200"
    interval            = 10
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }
}

resource "aws_lb_listener" "map" {
  count = var.game_map == null ? 0 : 1

  load_balancer_arn = aws_lb.map[0].arn
  protocol          = "HTTPS"
  port              = 443
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = var.game_map.certificate_arn
  tags              = local.tags

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.map[0].arn
  }
}

resource "aws_lb_listener" "map_to_https" {
  count = var.game_map == null ? 0 : 1

  load_balancer_arn = aws_lb.map[0].arn
  protocol          = "HTTP"
  port              = 80
  tags              = local.tags

  default_action {
    type = "redirect"

    redirect {
      protocol    = "HTTPS"
      port        = "443"
      status_code = "HTTP_301"
    }
  }
}

resource "aws_security_group" "map_balancer" {
  count = var.game_map == null ? 0 : 1

  name        = "${var.name}-map-balancer"
  description = "Load balancer of the game map: in for those who may look, out to the map"
  vpc_id      = var.vpc_id
  tags        = merge(local.tags, { Name = "${var.name}-map-balancer" })
}

resource "aws_vpc_security_group_ingress_rule" "map_balancer" {
  for_each = var.game_map == null ? {} : {
    for pair in setproduct(var.game_map.client_cidrs, [80, 443]) : "${pair[0]} ${pair[1]}" => { cidr = pair[0], port = pair[1] }
  }

  security_group_id = aws_security_group.map_balancer[0].id
  description       = each.value.port == 80 ? "Is sent on to HTTPS" : "Looks at the map"
  cidr_ipv4         = each.value.cidr
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port
  tags              = local.tags
}

resource "aws_vpc_security_group_egress_rule" "map_balancer" {
  count = var.game_map == null ? 0 : 1

  security_group_id            = aws_security_group.map_balancer[0].id
  description                  = "Asks the map"
  referenced_security_group_id = aws_security_group.map[0].id
  ip_protocol                  = "tcp"
  from_port                    = local.map_port
  to_port                      = local.map_port
  tags                         = local.tags
}
