# TLS ends here. There is no listener on port 80, since a client that sends a token without TLS must
# see an error and not be redirected.

data "aws_subnet" "public" {
  for_each = toset(var.public_subnets)
  id       = each.value
}

resource "aws_security_group" "load_balancer" {
  name_prefix = "${var.name}-load-balancer-"
  description = "HTTPS from anywhere to the load balancer of Roster."
  vpc_id      = var.vpc_id

  ingress {
    description = "HTTPS"
    protocol    = "tcp"
    from_port   = 443
    to_port     = 443
    cidr_blocks = ["0.0.0.0/0"]
  }

  egress {
    description = "To the service"
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_lb" "service" {
  name                       = var.name
  load_balancer_type         = "application"
  internal                   = false
  subnets                    = var.public_subnets
  security_groups            = [aws_security_group.load_balancer.id]
  enable_deletion_protection = var.deletion_protection

  # Less than ROSTER_KEEP_ALIVE, so that the service never closes a connection in use.
  idle_timeout = 60

  # The last address of X-Forwarded-For is the one that the load balancer has seen.
  xff_header_processing_mode = "append"
  drop_invalid_header_fields = true
  desync_mitigation_mode     = "defensive"
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.service.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = var.certificate_arn

  routing_http_response_strict_transport_security_header_value = "max-age=63072000; includeSubDomains"

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.service.arn
  }
}

resource "aws_lb_target_group" "service" {
  name             = var.name
  vpc_id           = var.vpc_id
  target_type      = "ip"
  protocol         = "HTTP"
  protocol_version = "HTTP1"
  port             = 8080

  # As long as the service serves requests after SIGTERM.
  deregistration_delay = "30"

  health_check {
    path                = "/health/ready"
    interval            = 10
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 3
    matcher             = "200"
  }
}
