# Runs the guide's model on a real BEAM and on the server side by side: `elixir driver.exs --tcp-port 4040 --http-port 8787`.
#
# Exits with code 1, and prints every divergence, if the two do not agree.

for file <- ~w(reference server commands history tamper worker), do: Code.require_file("#{file}.exs", __DIR__)

defmodule Beam.Driver do
  alias Beam.{History, Server, Worker}

  @defaults [host: "127.0.0.1", tcp_port: 4040, http_port: 8787, seconds: 8, seed: 1, processes: 50, wait: 30]

  def main(arguments) do
    types = [
      host: :string,
      tcp_port: :integer,
      http_port: :integer,
      seconds: :integer,
      seed: :integer,
      processes: :integer,
      # Seconds until a monitor line is missing.
      wait: :integer,
      # How Beam.Tamper falsifies a reply or line: value-mixup, lost-end, lost-line, and others.
      break: :string
    ]

    {given, []} = OptionParser.parse!(arguments, strict: types)
    run(Map.new(Keyword.merge([{:break, nil} | @defaults], given)))
  end

  defp run(options) do
    # The driver causes these ends itself: do not log them.
    :logger.set_primary_config(:level, :none)
    Beam.Registry.start()
    Beam.RestartGate.start()

    # Another run against the same server has other names.
    prefix = "beam#{System.pid()}"
    kinds = [temporary: 4, permanent: 3]
    shared = for {kind, count} <- kinds, n <- 1..count, into: %{}, do: {"#{prefix}-#{kind}-#{n}", kind}

    options =
      Map.merge(options, %{
        prefix: prefix,
        shared: shared,
        diverged: :atomics.new(1, []),
        wait_ms: options.wait * 1_000,
        deadline: System.monotonic_time(:millisecond) + options.seconds * 1_000
      })

    states = run_processes(options)
    operations = Enum.concat(Enum.map(states, & &1.shared.server))
    found = Enum.flat_map(states, & &1.divergences)
    violations = if found == [], do: History.check(operations), else: []
    own = if found == [], do: History.check(Enum.concat(Enum.map(states, & &1.shared.beam))), else: []

    Enum.each(found, &print/1)
    Enum.each(violations, &print_violation(&1, states, "server"))
    # A rule that the BEAM breaks too is a wrong rule.
    Enum.each(own, &print_violation(&1, states, "BEAM"))

    divergences = length(found) + length(violations) + length(own)
    unknown = Enum.count(operations, &(&1.reply == :unknown))

    if options.break,
      do: IO.puts("beam: #{Enum.count(states, & &1.broken)} processes have falsified a reply or line")

    IO.puts("beam: #{length(operations)} operations on shared names, of them #{unknown} of unknown outcome")

    IO.puts(
      "beam: #{options.processes} processes, #{sum(states, :commands)} commands, " <>
        "#{sum(states, :signals)} monitor lines, #{divergences} divergences, seed #{options.seed}"
    )

    System.halt(if divergences == 0, do: 0, else: 1)
  end

  defp sum(states, field), do: states |> Enum.map(&Map.fetch!(&1, field)) |> Enum.sum()

  # Processes run at once; the shared buckets are stopped when all have sent their last command.
  defp run_processes(options) do
    main = self()

    workers =
      for index <- 0..(options.processes - 1),
          do: {index, spawn_link(fn -> Worker.run(index, options, main) end)}

    for {index, _} <- workers, do: receive(do: ({:idle, ^index} -> :ok))
    last = stop_shared(options)
    for {_, pid} <- workers, do: send(pid, :finish)
    states = for {index, _} <- workers, do: receive(do: ({:done, ^index, state} -> state))
    [last | states]
  end

  # Each process that still monitors a shared bucket gets its DOWN.
  defp stop_shared(options) do
    state = %Worker{index: :last, options: options, server: Server.connect(options)}
    commands = for {name, _} <- options.shared, do: {:stop, name}
    state = Worker.run_shared(state, commands)
    Server.close(state.server)
    state
  end

  defp print(divergence) do
    IO.puts("DIVERGENCE of process #{divergence.process}: #{divergence.text}")
    IO.puts("  BEAM:   #{inspect(divergence.beam)}\n  server: #{inspect(divergence.server)}")
    print_log(divergence.log)
  end

  defp print_violation({text, operation, other}, states, side) do
    IO.puts("DIVERGENCE of process #{operation.process}, on the #{side}: #{text}")
    for op <- [operation, other], op != nil, do: IO.puts("  #{describe(op)}")
    %{log: log} = Enum.find(states, &(&1.index == operation.process))
    log |> Enum.drop_while(fn {at, _, _, _} -> at > operation.end end) |> Enum.take(20) |> print_log()
  end

  defp describe(op),
    do: "process #{op.process}: #{op.text} -> #{inspect(op.reply)}, from #{op.begin} to #{op.end}"

  defp print_log(log) do
    IO.puts("  its last commands, with the replies of the BEAM and of the server:")

    for {at, text, beam, server} <- Enum.reverse(log),
        do: IO.puts("    #{at}  #{text}  #{inspect(beam)}  #{inspect(server)}")
  end
end

Beam.Driver.main(System.argv())
