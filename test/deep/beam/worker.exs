# One process: it runs each command on the BEAM and on the server, and compares. Names of its own have to give the same
# replies and signals; what happens to shared names is kept for Beam.History.

defmodule Beam.Worker do
  alias Beam.{Commands, Reference, RestartGate, Server, Tamper}

  defstruct [
    :index,
    :options,
    :server,
    reference: %Reference{},
    # Newest first: {time, text, reply of the BEAM, reply of the server}.
    log: [],
    # What the server still has to send, by name; of a name's monitors that found nothing apart, as they do not wait.
    expected: %{},
    # Ids of objects, by the incarnation on the BEAM.
    ids: %{},
    shared: %{beam: [], server: []},
    # Shared names with a monitor that has had no DOWN.
    monitored: %{beam: MapSet.new(), server: MapSet.new()},
    kinds: %{},
    unique: 0,
    commands: 0,
    signals: 0,
    broken: false,
    divergences: []
  ]

  # Runs until the time is over, reports, and goes on when the shared buckets have been stopped.
  def run(index, options, main) do
    :rand.seed(:exsss, {options.seed, index, 1})
    state = %__MODULE__{index: index, options: options, server: Server.connect(options)}
    state = state |> protect(&loop/1)
    send(main, {:idle, index})

    receive do
      :finish -> :ok
    end

    state = state |> protect(&finish/1)
    Server.close(state.server)
    send(main, {:done, index, state})
  end

  # Commands on shared names, for a process that runs nothing else.
  def run_shared(state, commands), do: batch(state, commands, :shared)

  # Only what it has seen so far tells what went wrong.
  defp protect(%{divergences: []} = state, step) do
    step.(state)
  rescue
    error -> note(state, Exception.message(error), :none, :none)
  catch
    {:diverged, state} -> state
  end

  defp protect(state, _), do: state

  defp loop(state) do
    cond do
      over?(state.options) -> state
      :rand.uniform(100) <= 60 -> state |> private_batch() |> loop()
      true -> state |> shared_batch() |> loop()
    end
  end

  # The first divergence ends the run: later results add nothing.
  defp over?(options),
    do: System.monotonic_time(:millisecond) > options.deadline or :atomics.get(options.diverged, 1) == 1

  defp finish(state) do
    state = Enum.reduce(private_names(state), state, &batch(&2, [{:stop, &1}], :private))
    state = await_signals(state)
    await_shared(state, System.monotonic_time(:millisecond) + state.options.wait_ms)
  end

  # --- commands ---

  defp private_batch(state) do
    names = private_names(state)
    state = batch(state, List.duplicate({:private, names}, :rand.uniform(16)), :private)
    if :rand.uniform(20) == 1, do: await_signals(state), else: state
  end

  defp shared_batch(state), do: batch(state, List.duplicate(:shared, :rand.uniform(6)), :shared)

  defp private_names(state), do: for(n <- ~w(x y z), do: "#{state.options.prefix}-p#{state.index}-#{n}")

  # The BEAM runs each command as it is chosen; the server gets them together. A command for HTTP goes alone.
  defp batch(state, plans, mode) do
    {state, pending} =
      Enum.reduce(plans, {state, []}, fn plan, {state, pending} ->
        {command, state} = choose(state, plan)
        {state, pending} = if over_http?(command), do: {flush(state, pending), []}, else: {state, pending}
        {answered, state} = ask_beam(state, command, mode)

        if over_http?(command),
          do: {flush_http(state, answered), pending},
          else: {state, [answered | pending]}
      end)

    state |> flush(pending) |> take_signals(1)
  end

  defp over_http?(command), do: elem(command, 0) == :create_temporary

  defp choose(state, {:private, names}) do
    name = Enum.random(names)
    kind = with {:ok, bucket} <- Beam.Registry.lookup(name), do: bucket.kind
    {Commands.private(name, if(kind == :not_found, do: nil, else: kind)), state}
  end

  defp choose(state, :shared) do
    {name, kind} = Enum.random(state.options.shared)
    state = %{state | unique: state.unique + 1}

    case Commands.shared(name, kind, "#{state.index}-#{state.unique}") do
      {:monitor, name} = command ->
        # So that each line belongs to one monitor, a name has one at a time.
        if Enum.any?(state.monitored, fn {_, names} -> name in names end),
          do: {{:get, name, "a"}, state},
          else: {command, monitors(state, name)}

      command ->
        {command, state}
    end
  end

  defp choose(state, command), do: {command, state}

  defp monitors(state, name) do
    %{state | monitored: Map.new(state.monitored, fn {side, names} -> {side, MapSet.put(names, name)} end)}
  end

  defp ask_beam(state, command, mode) do
    state = %{state | commands: state.commands + 1}
    name = elem(command, 1)
    watched = Reference.watches?(state.reference, name)
    began = now()
    {reply, signals, reference} = Reference.run(state.reference, command)
    state = %{state | reference: reference}

    state =
      case mode do
        :shared -> record(state, :beam, command, began, reply)
        :private -> state
      end

    state = Enum.reduce(signals, state, &beam_signal(&2, &1))

    state = if mode == :private and watched and signals?(command, reply), do: await_beam(state, name), else: state

    {%{command: command, beam: reply, mode: mode, began: now()}, state}
  end

  # Whether the command was one for which a monitor of a bucket gets a signal.
  defp signals?({:exit, _, "normal"}, _), do: false
  defp signals?({verb, _}, :ok) when verb == :stop, do: true
  defp signals?({verb, _, _}, :ok) when verb == :exit, do: true
  defp signals?(_, _), do: false

  # The BEAM's own signal of this name; those of shared names may come before it.
  defp await_beam(state, name) do
    case Reference.signal(state.reference, 5_000) do
      :none -> raise "the BEAM sent no signal for #{name}"
      {{_, ^name, _} = signal, reference} -> beam_signal(%{state | reference: reference}, signal)
      {signal, reference} -> %{state | reference: reference} |> beam_signal(signal) |> await_beam(name)
    end
  end

  defp flush(state, []), do: state

  defp flush(state, newest_first) do
    answered = Enum.map(Enum.reverse(newest_first), &%{&1 | began: now()})
    Server.send_commands(state.server, Enum.map(answered, & &1.command))

    Enum.reduce(answered, state, fn asked, state ->
      {reply, signals} = Server.read_reply(state.server, asked.command)
      signals |> Enum.reduce(state, &server_signal(&2, &1)) |> compare(asked, reply)
    end)
  end

  defp flush_http(state, asked) do
    began = now()
    reply = Server.create_temporary(state.server, elem(asked.command, 1))
    compare(state, %{asked | began: began}, reply)
  end

  defp compare(state, asked, reply) do
    {reply, state} = Tamper.reply(state, asked, reply)
    state = %{state | log: [{now(), Server.line(asked.command), asked.beam, reply} | state.log]}
    if elem(asked.command, 0) == :exit, do: RestartGate.passed(elem(asked.command, 1))

    case {asked.mode, asked.beam, reply} do
      {:shared, _, reply} -> record(state, :server, asked.command, asked.began, known!(state, asked, reply))
      {_, {:id, incarnation}, {:id, id}} -> compare_id(state, asked, incarnation, id)
      {_, same, same} -> state
      _ -> diverged(state, "the replies differ", asked.beam, reply)
    end
  end

  # A new bucket is a new object, and a restarted one is not.
  defp compare_id(%{ids: ids} = state, asked, incarnation, id) do
    case ids do
      %{^incarnation => ^id} ->
        state

      %{^incarnation => other} ->
        diverged(state, "the bucket's id has changed", {:id, other}, {:id, id})

      _ ->
        if id in Map.values(ids),
          do: diverged(state, "a new bucket has the id of another one", asked.beam, {:id, id}),
          else: %{state | ids: Map.put(ids, incarnation, id)}
    end
  end

  # A write whose bucket is reset meanwhile may have an unknown outcome; a read is repeated by the server.
  defp known!(state, asked, {:error, "ERROR UNAVAILABLE" <> _} = reply) do
    if elem(asked.command, 0) in [:put, :delete, :exit, :stop],
      do: :unknown,
      else: diverged(state, "an error where nothing is written", asked.beam, reply)
  end

  defp known!(state, asked, {kind, _} = reply) when kind in [:error, :unexpected],
    do: diverged(state, "an error", asked.beam, reply)

  defp known!(_, _, reply), do: reply

  # --- signals ---

  # Of a shared name, into its history; of an own one, to be expected from the server.
  defp beam_signal(state, {_, name, reason} = signal) do
    if shared?(state, name),
      do: record_signal(state, :beam, signal),
      else: %{
        state
        | expected: Map.update(state.expected, {name, reason == "noproc"}, [signal], &(&1 ++ [signal]))
      }
  end

  defp server_signal(state, signal) do
    case Tamper.signal(state, signal) do
      {nil, state} ->
        state

      {{_, name, reason} = signal, state} ->
        state = %{state | signals: state.signals + 1}

        if shared?(state, name),
          do: record_signal(state, :server, signal),
          else: expect(state, {name, reason == "noproc"}, signal)
    end
  end

  defp expect(state, key, signal) do
    case state.expected do
      %{^key => [^signal | rest]} -> %{state | expected: Map.put(state.expected, key, rest)}
      %{^key => [other | _]} -> diverged(state, "the monitor lines differ", other, signal)
      %{} -> diverged(state, "a monitor line that the BEAM did not send", :none, signal)
    end
  end

  defp take_signals(state, timeout) do
    state = state.server |> Server.signals(timeout) |> Enum.reduce(state, &server_signal(&2, &1))
    take_beam(state)
  end

  defp take_beam(state) do
    case Reference.signal(state.reference, 0) do
      :none -> state
      {signal, reference} -> %{state | reference: reference} |> beam_signal(signal) |> take_beam()
    end
  end

  defp await_signals(state),
    do: await_signals(state, System.monotonic_time(:millisecond) + state.options.wait_ms)

  defp await_signals(state, deadline) do
    missing = state.expected |> Map.values() |> List.flatten()

    cond do
      missing == [] ->
        state

      System.monotonic_time(:millisecond) > deadline ->
        diverged(state, "monitor lines are missing", missing, :none)

      true ->
        state |> take_signals(10) |> await_signals(deadline)
    end
  end

  # Every monitor of a shared bucket gets its DOWN; which did not, Beam.History says.
  defp await_shared(state, deadline) do
    done = Enum.all?(state.monitored, fn {_, names} -> MapSet.size(names) == 0 end)

    if done or System.monotonic_time(:millisecond) > deadline,
      do: state |> take_signals(50),
      else: state |> take_signals(10) |> await_shared(deadline)
  end

  # --- shared names ---

  defp shared?(state, name), do: is_map_key(state.options.shared, name)

  defp record(state, side, command, began, reply) do
    name = elem(command, 1)

    operation = %{
      side: side,
      process: state.index,
      name: name,
      kind: state.options.shared[name],
      verb: elem(command, 0),
      key: if(tuple_size(command) > 2 and elem(command, 0) != :exit, do: elem(command, 2)),
      value: if(tuple_size(command) == 4, do: elem(command, 3)),
      reason: if(elem(command, 0) == :exit, do: elem(command, 2)),
      reply: reply,
      begin: began,
      # An operation of unknown outcome may go on for ever: an atom is greater than any number.
      end: if(reply == :unknown, do: :never, else: now()),
      replied: now(),
      text: Server.line(command)
    }

    %{state | shared: Map.update!(state.shared, side, &[operation | &1])}
  end

  defp record_signal(state, side, {kind, name, reason}) do
    at = now()

    operation = %{
      side: side,
      process: state.index,
      name: name,
      kind: state.options.shared[name],
      verb: :signal,
      signal: kind,
      key: nil,
      value: nil,
      reason: reason,
      reply: nil,
      begin: at,
      end: at,
      text: "#{kind} #{name} #{reason}"
    }

    monitored =
      if kind == "DOWN",
        do: Map.update!(state.monitored, side, &MapSet.delete(&1, name)),
        else: state.monitored

    %{state | shared: Map.update!(state.shared, side, &[operation | &1]), monitored: monitored}
  end

  # One clock for all processes, on which no two readings are the same.
  defp now, do: System.unique_integer([:monotonic, :positive])

  # --- divergences ---

  # Ends this process's run: what follows a divergence says nothing.
  defp diverged(state, text, beam, server), do: throw({:diverged, note(state, text, beam, server)})

  defp note(state, text, beam, server) do
    :atomics.put(state.options.diverged, 1, 1)

    divergence = %{
      process: state.index,
      text: text,
      beam: beam,
      server: server,
      log: Enum.take(state.log, 20)
    }

    %{state | divergences: [divergence | state.divergences]}
  end
end
