resource "aws_security_group" "service" {
  name_prefix = "${var.name}-service-"
  description = "HTTP from the load balancer to Roster."
  vpc_id      = var.vpc_id

  ingress {
    description     = "From the load balancer only"
    protocol        = "tcp"
    from_port       = 8080
    to_port         = 8080
    security_groups = [aws_security_group.load_balancer.id]
  }

  egress {
    description = "To AWS and the mail server"
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_ecs_cluster" "service" {
  name = var.name

  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

# Without it second factors cannot be opened: keep a copy outside of AWS. `ephemeral` and
# `secret_string_wo` keep it out of the state of Terraform.
ephemeral "random_password" "secret_key" {
  length  = 64
  special = false
}

resource "aws_secretsmanager_secret" "secret_key" {
  name_prefix = "${var.name}-secret-key-"
  description = "ROSTER_SECRET_KEY. To replace it, see docs/operations.md."

  lifecycle {
    prevent_destroy = true
  }
}

# A greater version would write another key.
resource "aws_secretsmanager_secret_version" "secret_key" {
  secret_id                = aws_secretsmanager_secret.secret_key.id
  secret_string_wo         = ephemeral.random_password.secret_key.result
  secret_string_wo_version = 1
}

data "aws_iam_policy_document" "tasks" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

# What starts the container: the image, the log and the two secrets.
resource "aws_iam_role" "execution" {
  name_prefix        = "${var.name}-execution-"
  assume_role_policy = data.aws_iam_policy_document.tasks.json
}

resource "aws_iam_role_policy_attachment" "execution" {
  role       = aws_iam_role.execution.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
}

data "aws_iam_policy_document" "secrets" {
  statement {
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [aws_secretsmanager_secret.secret_key.arn, var.smtp_password_arn]
  }
}

resource "aws_iam_role_policy" "secrets" {
  name   = "secrets"
  role   = aws_iam_role.execution.id
  policy = data.aws_iam_policy_document.secrets.json
}

# What the service may do: the tables, and nothing else.
resource "aws_iam_role" "service" {
  name_prefix        = "${var.name}-service-"
  assume_role_policy = data.aws_iam_policy_document.tasks.json
}

resource "aws_iam_role_policy_attachment" "service" {
  role       = aws_iam_role.service.name
  policy_arn = aws_iam_policy.service.arn
}

# It has the security log, whose entries contain client addresses.
resource "aws_cloudwatch_log_group" "service" {
  name_prefix       = "${var.name}-"
  retention_in_days = var.log_retention_days
}

resource "aws_ecs_task_definition" "service" {
  family                   = var.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.cpu
  memory                   = var.memory
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.service.arn

  runtime_platform {
    cpu_architecture        = var.cpu_architecture
    operating_system_family = "LINUX"
  }

  container_definitions = jsonencode([
    {
      name                   = "roster"
      image                  = var.image
      essential              = true
      readonlyRootFilesystem = true
      linuxParameters        = { capabilities = { drop = ["ALL"] } }
      # More than the 30 seconds for requests in flight.
      stopTimeout  = 35
      portMappings = [{ containerPort = 8080, protocol = "tcp" }]
      # ECS does not use the HEALTHCHECK of an image.
      healthCheck = {
        command = [
          "CMD", "python", "-c",
          "from urllib.request import urlopen; urlopen('http://127.0.0.1:8080/health/live', timeout=2)",
        ]
        interval    = 10
        timeout     = 3
        retries     = 3
        startPeriod = 10
      }
      environment = [
        { name = "DYNAMODB_REGION", value = data.aws_region.current.region },
        { name = "DYNAMODB_TABLE_PREFIX", value = var.table_prefix },
        { name = "ROSTER_PUBLIC_URL", value = var.public_url },
        { name = "ROSTER_TRUSTED_PROXIES", value = join(",", [for one in data.aws_subnet.public : one.cidr_block]) },
        { name = "ROSTER_WORKERS", value = tostring(var.workers) },
        { name = "ROSTER_SMTP_HOST", value = var.smtp_host },
        { name = "ROSTER_SMTP_USERNAME", value = var.smtp_username },
        { name = "ROSTER_MAIL_FROM", value = var.mail_from },
      ]
      secrets = [
        { name = "ROSTER_SECRET_KEY", valueFrom = aws_secretsmanager_secret.secret_key.arn },
        { name = "ROSTER_SMTP_PASSWORD", valueFrom = var.smtp_password_arn },
      ]
      logConfiguration = {
        logDriver = "awslogs"
        options = {
          awslogs-group         = aws_cloudwatch_log_group.service.name
          awslogs-region        = data.aws_region.current.region
          awslogs-stream-prefix = "roster"
        }
      }
    },
  ])
}

resource "aws_ecs_service" "service" {
  name                               = var.name
  cluster                            = aws_ecs_cluster.service.id
  task_definition                    = aws_ecs_task_definition.service.arn
  launch_type                        = "FARGATE"
  desired_count                      = var.min_tasks
  health_check_grace_period_seconds  = 30
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  depends_on                         = [aws_lb_listener.https, aws_secretsmanager_secret_version.secret_key]

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    assign_public_ip = false
    subnets          = var.private_subnets
    security_groups  = [aws_security_group.service.id]
  }

  load_balancer {
    container_name   = "roster"
    container_port   = 8080
    target_group_arn = aws_lb_target_group.service.arn
  }

  lifecycle {
    # The scaling policy changes it.
    ignore_changes = [desired_count]
  }
}

# Password hashes use most of the processor time: a burst of sign-ins needs cores, not memory.
resource "aws_appautoscaling_target" "service" {
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${aws_ecs_cluster.service.name}/${aws_ecs_service.service.name}"
  min_capacity       = var.min_tasks
  max_capacity       = var.max_tasks
}

resource "aws_appautoscaling_policy" "cpu" {
  name               = "cpu"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.service.service_namespace
  scalable_dimension = aws_appautoscaling_target.service.scalable_dimension
  resource_id        = aws_appautoscaling_target.service.resource_id

  target_tracking_scaling_policy_configuration {
    target_value = 60

    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageCPUUtilization"
    }
  }
}
