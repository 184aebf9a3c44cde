from pcdet_kd.cli.corrupt import main

if __name__ == '__main__':
    raise SystemExit(main())
